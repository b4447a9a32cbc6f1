"""A faint mark in the corner of one class: does a network learn that instead?

Juodelyte et al., 'Source matters: source dataset impact on model robustness in
medical imaging' (arXiv 2403.04484), plant such a confounder: what marks the
images of a class in one hospital, such as a scanner's label, is easy to learn
and worth nothing elsewhere.
"""

from collections.abc import Mapping
import dataclasses
import hashlib
from typing import Any

import numpy as np

from medxfer import errors
from medxfer.data import decoded as decoded_lib
from medxfer.data import examples as examples_lib
from medxfer.data import splits

KEY = 'planted_mark'  # Of a summary.
_SIDE = 8  # Of the shorter side of an image, the mark takes one of so many.
_STRENGTH = 0.25  # Of the way to white in dark corners, to black in pale ones.
_GREY = 128


def check(name: str, examples: examples_lib.Examples) -> None:
  """Refuses the name of a class that does not exist; '' is none.

  Raises:
    UsageError: with those that do.
  """
  if name and name not in examples.class_names:
    raise errors.UsageError(
        f'data.planted_mark={name!r}: {examples.name} has no such class; its '
        f'classes are {", ".join(examples.class_names)}'
    )


def of_class(
    name: str, decoded: decoded_lib.Decoded, split: splits.Split
) -> decoded_lib.Decoded:
  """Returns images with the mark on one class of train and validation.

  Args:
    name: of the class; '' for none.
    decoded: the images.
    split: their subsets.

  Raises:
    UsageError: there is no such class, or the pixels were not kept.
  """
  if not name:
    return decoded
  examples = decoded.examples
  check(name, examples)
  rows = np.concatenate([split.train, split.val])
  marked = examples.labels[rows] == examples.class_names.index(name)
  return plant(decoded, np.sort(rows[marked]))


def plant(
    decoded: decoded_lib.Decoded, rows: np.ndarray
) -> decoded_lib.Decoded:
  """Returns images of which some have the mark.

  Args:
    decoded: n images with their pixels; they are not changed.
    rows: int [m], those that get it.

  Raises:
    UsageError: the pixels were not kept.
  """
  if decoded.pixels is None:
    raise errors.UsageError(
        'data.planted_mark needs pixels in memory: give '
        '--config.data.cache=host, or no mark'
    )
  pixels = np.array(decoded.pixels)
  pixels[rows] = painted(pixels[rows])
  digests = list(decoded.digests)
  for row in rows.tolist():
    digests[row] = hashlib.sha256(pixels[row].tobytes()).digest()
  return dataclasses.replace(decoded, pixels=pixels, digests=tuple(digests))


def painted(pixels: np.ndarray) -> np.ndarray:
  """Returns images with the mark in their first corner.

  Args:
    pixels: uint8 [n, height, width, 3].
  """
  found = np.array(pixels)
  side = max(min(found.shape[1:3]) // _SIDE, 2)
  corner = found[:, :side, :side].astype(np.float32)
  target = np.where(corner.mean((1, 2, 3), keepdims=True) < _GREY, 255, 0)
  blended = corner + _STRENGTH * (target - corner)
  found[:, :side, :side] = np.rint(blended).astype(np.uint8)
  return found


def sentence(found: Mapping[str, Any] | None) -> str:
  """Returns what `runs.planted.summary` found; '' without a mark."""
  if not found:
    return ''
  return (
      f'planted mark: of {found["n"]:,} test images of other classes '
      f'{100 * found["before"]:.1f} % are taken for {found["class"]}, with the '
      f'mark that this class had in training {100 * found["after"]:.1f} %'
  )
