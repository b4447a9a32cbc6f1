"""Names of layers from patterns, and the table of what trains.

The head always trains. `all` is every layer and `none` the head alone; the
rest are comma-separated block names (`block5`), layer names (`block5_conv3`)
or regular expressions (`block[45]_conv\\d`) that must match a whole name.
"""

from collections.abc import Iterable
import math
import re

from medxfer import errors
from medxfer.model import architectures
from medxfer.model import params as params_lib


def resolve(
    patterns: str,
    architecture: architectures.Architecture,
    key: str = 'model.trainable',
) -> tuple[str, ...]:
  """Returns the names of the layers that train, in network order.

  Args:
    patterns: see the module's docstring.
    architecture: of the network.
    key: that holds them, for messages.

  Raises:
    UsageError: a pattern is empty, broken or matches nothing.
  """
  if patterns == 'none':
    return architecture.head
  if patterns == 'all':
    return architecture.layers
  chosen = set(architecture.head)
  for pattern in patterns.split(','):
    chosen |= _matches(pattern.strip(), architecture, key)
  return tuple(name for name in architecture.layers if name in chosen)


def _matches(
    pattern: str, architecture: architectures.Architecture, key: str
) -> set[str]:
  try:
    regex = re.compile(pattern)
  except re.error as error:
    raise errors.UsageError(
        f'{key}: {pattern!r} is not a regular expression ({error})'
    ) from error
  names = {name for name in architecture.layers if regex.fullmatch(name)}
  for block, convolutions in architecture.blocks.items():
    if regex.fullmatch(block):
      names.update(convolutions)
  if not names:
    raise errors.UsageError(
        f'{key}: {pattern!r} matches no block and no layer of '
        f'{architecture.title}; blocks are {", ".join(architecture.blocks)}; '
        f'layers are {", ".join(architecture.layers)}; or say all, or none '
        'for the head alone'
    )
  return names


def mask(
    params: params_lib.Params, trained: Iterable[str]
) -> dict[str, dict[str, bool]]:
  """Returns a tree like `params` with True on every leaf that trains."""
  trained = frozenset(trained)
  return {
      layer: {leaf: layer in trained for leaf in leaves}
      for layer, leaves in params.items()
  }


def count(params: params_lib.Params, trained: Iterable[str]) -> tuple[int, int]:
  """Returns how many numbers train and how many are frozen."""
  sizes = {
      layer: sum(math.prod(leaf.shape) for leaf in leaves.values())
      for layer, leaves in params.items()
  }
  training = sum(sizes[layer] for layer in trained)
  return training, sum(sizes.values()) - training


def table(params: params_lib.Params, trained: Iterable[str]) -> str:
  """Returns the text of `parameters.txt`: one line per leaf, then totals."""
  trained = tuple(trained)
  lines = [f'{"parameter":<22} {"shape":<18} {"count":>10}  state']
  for layer, leaves in params.items():
    state = 'trainable' if layer in trained else 'frozen'
    for leaf in ('kernel', 'bias'):
      shape = tuple(leaves[leaf].shape)
      lines.append(
          f'{layer + "/" + leaf:<22} {str(shape):<18} '
          f'{math.prod(shape):>10,}  {state}'
      )
  training, frozen = count(params, trained)
  lines.append(
      f'trainable {training:,}; frozen {frozen:,}; '
      f'total {training + frozen:,}'
  )
  return '\n'.join(lines) + '\n'
