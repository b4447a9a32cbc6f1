"""Pictures of test images, and which of them to show."""

import dataclasses

import numpy as np

from medxfer.report.read import finished_run

CASES = 4  # Right ones, and as many wrong ones.


@dataclasses.dataclass(frozen=True, eq=False)
class Tile:
  """One picture: uint8 [height, width, 3], with what is said of it."""

  pixels: np.ndarray
  caption: str
  label: str


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
  """Tiles that belong together; `name` is the stem of their file."""

  name: str
  title: str
  caption: str
  tiles: tuple[Tile, ...]


def cases(run: finished_run.Run) -> tuple[list[int], list[int]]:
  """Chooses test images that show what a run relies on.

  Args:
    run: a network's.

  Returns:
    Rows of its predictions: the surest right one of each of the most
    frequent classes, and the surest wrong ones; each at most `CASES`.
  """
  scored = run.predictions
  surest = np.argsort(-scored.probabilities.max(axis=1), kind='stable')
  is_right = scored.predicted == scored.labels
  support = np.bincount(scored.labels, minlength=len(scored.class_names))
  first = {}
  for i in surest[is_right[surest]]:
    first.setdefault(int(scored.labels[i]), int(i))
  classes = sorted(first, key=lambda label: -support[label])[:CASES]
  wrong = surest[~is_right[surest]][:CASES]
  return [first[label] for label in classes], wrong.tolist()
