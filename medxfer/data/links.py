"""Where images lie that are reached by links."""

from collections.abc import Mapping
import os
import pathlib


def notes(folder: pathlib.Path, paths: Mapping[str, pathlib.Path]) -> list[str]:
  """Returns lines about links: files elsewhere, and files that are listed
  twice.

  Args:
    folder: of the data set.
    paths: image id -> file.
  """
  root = os.path.join(os.path.realpath(folder), '')
  elsewhere, first, again = [], {}, []
  for name, path in paths.items():
    real = os.path.realpath(path)
    if not real.startswith(root):
      elsewhere.append((name, real))
    if first.setdefault(real, name) != name:
      again.append((first[real], name))
  found = []
  if elsewhere:
    name, real = elsewhere[0]
    found.append(
        f'links lead out of {folder}: {len(elsewhere):,} images lie elsewhere, '
        f'such as {name} at {real}'
    )
  if again:
    one, other = again[0]
    found.append(
        f'{len(again):,} images are the same file as another image, such as '
        f'{other} and {one}'
    )
  return found
