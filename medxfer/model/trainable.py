"""What trains, said by names: patterns -> layers -> mask -> table.

The head always trains. `all` is every layer and `none` the head alone; the
rest are comma-separated block names (`block5`), layer names (`block5_conv3`)
or regular expressions (`block[45]_conv\\d`) that must match a whole name.
"""

from collections.abc import Iterable
from collections.abc import Mapping
import math
import re
from typing import Any

from medxfer import errors
from medxfer import spec as specs
from medxfer.model import layers

Params = Mapping[str, Mapping[str, Any]]


def check(spec: specs.ModelSpec) -> None:
  """Refuses patterns that match nothing.

  Raises:
    UsageError: see `resolve`.
  """
  resolve(spec.trainable)
  transferred(spec)


def transferred(spec: specs.ModelSpec) -> tuple[str, ...]:
  """Returns the names of the convolutions that start from `init_from`.

  Raises:
    UsageError: see `resolve`.
  """
  chosen = resolve(spec.transferred, 'model.transferred')
  return tuple(name for name in layers.CONVOLUTIONS if name in chosen)


def resolve(
    patterns: str, key: str = 'model.trainable'
) -> tuple[str, ...]:
  """Returns the names of the layers that train, in network order.

  Args:
    patterns: see the module's docstring.
    key: that holds them, for messages.

  Raises:
    UsageError: a pattern is empty, broken or matches nothing.
  """
  if patterns == 'none':
    return layers.HEAD
  if patterns == 'all':
    return layers.LAYERS
  chosen = set(layers.HEAD)
  for pattern in patterns.split(','):
    chosen |= _matches(pattern.strip(), key)
  return tuple(name for name in layers.LAYERS if name in chosen)


def _matches(pattern: str, key: str) -> set[str]:
  try:
    regex = re.compile(pattern)
  except re.error as error:
    raise errors.UsageError(
        f'{key}: {pattern!r} is no regular expression ({error})'
    ) from error
  names = {name for name in layers.LAYERS if regex.fullmatch(name)}
  for block, convolutions in layers.BLOCKS.items():
    if regex.fullmatch(block):
      names.update(convolutions)
  if not names:
    raise errors.UsageError(
        f'{key}: {pattern!r} matches no block and no layer; blocks '
        f'are {", ".join(layers.BLOCKS)}; layers are '
        f'{", ".join(layers.LAYERS)}; or say all, or none for the head alone')
  return names


def mask(params: Params, trained: Iterable[str]) -> dict[str, dict[str, bool]]:
  """Returns a tree like `params` with True on every leaf that trains."""
  trained = frozenset(trained)
  return {
      layer: {leaf: layer in trained for leaf in leaves}
      for layer, leaves in params.items()
  }


def count(params: Params, trained: Iterable[str]) -> tuple[int, int]:
  """Returns how many numbers train and how many are frozen."""
  sizes = {layer: sum(math.prod(leaf.shape) for leaf in leaves.values())
           for layer, leaves in params.items()}
  training = sum(sizes[layer] for layer in trained)
  return training, sum(sizes.values()) - training


def table(params: Params, trained: Iterable[str]) -> str:
  """Returns the text of `parameters.txt`: one line a leaf, then totals."""
  trained = tuple(trained)
  lines = [f'{"parameter":<22} {"shape":<18} {"count":>10}  state']
  for layer in layers.LAYERS:
    state = 'trainable' if layer in trained else 'frozen'
    for leaf in ('kernel', 'bias'):
      shape = tuple(params[layer][leaf].shape)
      lines.append(f'{layer + "/" + leaf:<22} {str(shape):<18} '
                   f'{math.prod(shape):>10,}  {state}')
  training, frozen = count(params, trained)
  lines.append(f'trainable {training:,}; frozen {frozen:,}; '
               f'total {training + frozen:,}')
  return '\n'.join(lines) + '\n'
