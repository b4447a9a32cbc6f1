"""Strict comparison of weights with what a network expects."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import pathlib

import numpy as np

from medxfer import errors
from medxfer.model import architectures
from medxfer.model.weights import metadata

# 'layer/leaf' -> (shape, name of the dtype), as a file's header says.
Headers = Mapping[str, tuple[tuple[int, ...], str]]

_MOST_LINES = 60


def header_differences(
    found: Headers,
    architecture: architectures.Architecture,
    *,
    allow_head: bool,
) -> list[str]:
  """Compares names, shapes and dtypes; reads no data.

  Args:
    found: what the file announces.
    architecture: what the tensors should belong to.
    allow_head: whether the layers of the head may be there as well.

  Returns:
    '-' (missing), '+' (unexpected) and '~' (wrong) lines; empty if equal.
  """
  wanted = metadata.flatten(architecture.backbone_shapes())
  lines = [f'- {n} {s}: missing' for n, s in wanted.items() if n not in found]
  for name, (shape, dtype) in found.items():
    is_head = allow_head and name.rsplit('/', 1)[0] in architecture.head
    if name not in wanted and not is_head:
      lines.append(f'+ {name} {shape}: unexpected')
    elif name in wanted and shape != wanted[name]:
      lines.append(f'~ {name}: shape is {shape}, should be {wanted[name]}')
    if dtype != metadata.DTYPE:
      lines.append(f'~ {name}: dtype is {dtype}, should be {metadata.DTYPE}')
  return lines


def refuse_another(
    found: architectures.Architecture,
    asked: architectures.Architecture | None,
    path: pathlib.Path,
) -> None:
  """Refuses weights of another architecture than the one asked for.

  Args:
    found: what the file holds.
    asked: what is needed; None if any will do.
    path: the file.

  Raises:
    DataError: they differ; names both and the way out.
  """
  if asked is None or found == asked:
    return
  other = f'give the weights of {asked.title}'
  if asked.pretrained is None:
    other = (
        f'{asked.title} has no published weights: take the arm `random` '
        'or --config.model.init_from=random'
    )
  raise errors.DataError(
      f'{path}: holds the weights of {found.title}, not of {asked.title} as '
      f'asked for; train {found.title} with --config.model.name={found.name}, '
      f'or {other}'
  )


def check_metadata(
    contract: metadata.Contract,
    asked: architectures.Architecture | None,
    path: pathlib.Path,
) -> None:
  """Refuses metadata of other tensors than an architecture has.

  Args:
    contract: what a file of medxfer announces.
    asked: the architecture that is needed; None if any will do.
    path: the file.

  Raises:
    DataError: it announces another architecture, or other tensors.
  """
  architecture = architectures.BY_NAME[contract.architecture]
  refuse_another(architecture, asked, path)
  found = {
      name: (spec.shape, spec.dtype) for name, spec in contract.tensors.items()
  }
  refuse(
      header_differences(found, architecture, allow_head=True),
      architecture,
      path,
  )


def refuse(
    lines: Sequence[str],
    architecture: architectures.Architecture,
    path: pathlib.Path | str,
) -> None:
  """Raises a DataError with the differences, if there are any.

  Args:
    lines: what `header_differences` or `verify` found.
    architecture: what the tensors should belong to.
    path: the file they were found in.

  Raises:
    DataError: there are differences.
  """
  if not lines:
    return
  shown = list(lines[:_MOST_LINES])
  if len(lines) > len(shown):
    shown.append(f'... and {len(lines) - len(shown)} more')
  raise errors.DataError(
      f'{path}: these are not the weights of {architecture.title} that were '
      'announced (- missing, + unexpected, ~ wrong):\n  '
      + '\n  '.join(shown)
      + '\nUse another file or fetch this one again; a head is left out only '
      'when it is named.'
  )


def without(
    weights: metadata.Weights, named: Iterable[str]
) -> metadata.Weights:
  """Returns the weights without the named layers.

  Args:
    weights: any weights.
    named: layers, each of which must be there.

  Returns:
    Weights whose contract no longer speaks of the layers.

  Raises:
    UsageError: a layer is not there.
  """
  names = tuple(named)
  for name in names:
    if name not in weights.params:
      raise errors.UsageError(
          f'layer {name!r} cannot be dropped: the weights hold '
          f'{", ".join(weights.params)}'
      )
  if not names:
    return weights
  old = weights.contract
  return metadata.Weights(
      params={k: v for k, v in weights.params.items() if k not in names},
      contract=dataclasses.replace(
          old,
          tensors={
              k: v
              for k, v in old.tensors.items()
              if k.rsplit('/', 1)[0] not in names
          },
          # Class names describe the logits, and those went with the head.
          classes=() if 'predictions' in names else old.classes,
      ),
      dropped=weights.dropped + names,
  )


def verify(
    weights: metadata.Weights,
    architecture: architectures.Architecture,
    *,
    path: pathlib.Path | str,
    allow_head: bool = False,
    drop: Sequence[str] = (),
) -> metadata.Weights:
  """Compares weights with the network and with their own contract.

  Args:
    weights: what was read.
    architecture: the network's.
    path: the file, for the message.
    allow_head: whether the layers of the head may be there as well.
    drop: layers to leave out; all others must fit.

  Returns:
    The weights without the layers in `drop`.

  Raises:
    DataError: a tensor is missing, unexpected, of a wrong shape or dtype,
      not finite, or differs from the digest that the contract announces; the
      message lists every difference.
    UsageError: `drop` names a layer that is not there.
  """
  kept = without(weights, drop)
  arrays = metadata.flatten(kept.params)
  headers = {k: (np.shape(v), v.dtype.name) for k, v in arrays.items()}
  lines = header_differences(headers, architecture, allow_head=allow_head)
  announced = kept.contract.tensors
  lines += [
      f'- {n}: announced by the contract but absent'
      for n in announced
      if n not in arrays
  ]
  for name, array in arrays.items():
    lines += _value_differences(name, array, announced.get(name))
  refuse(lines, architecture, path)
  return kept


def _value_differences(
    name: str, array: np.ndarray, spec: metadata.TensorSpec | None
) -> list[str]:
  lines = []
  bad = array.size - np.count_nonzero(np.isfinite(array))
  if bad:
    lines.append(f'~ {name}: {bad} of {array.size} values are NaN or infinite')
  if spec is None:
    lines.append(f'+ {name}: the contract does not announce it')
  elif (spec.shape, spec.dtype) != (np.shape(array), array.dtype.name):
    lines.append(
        f'~ {name}: is {array.dtype.name} {np.shape(array)}, the contract '
        f'announces {spec.dtype} {spec.shape}'
    )
  elif (digest := metadata.tensor_digest(array)) != spec.sha256:
    lines.append(
        f'~ {name}: sha256 is {digest[:16]}..., the contract announces '
        f'{spec.sha256[:16]}...'
    )
  return lines
