"""Pictures of what a network sees: figure 8.1, and Grad-CAM of right and wrong.

They need what a workdir alone does not hold or need not keep: a checkpoint,
and the images where the run read them. What is missing is said.
"""

from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses

import numpy as np

from medxfer import errors
from medxfer.report.read import finished_run
from medxfer.report.read import settings as settings_lib
from medxfer.runs import workdir

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


@dataclasses.dataclass(frozen=True, eq=False)
class Explained:
  """The pictures, and a sentence for each that could not be made."""

  pictures: tuple[Picture, ...]
  missing: tuple[str, ...]


def explain(settings: Iterable[settings_lib.Setting]) -> Explained:
  """Looks through the networks of each setting.

  Args:
    settings: at most one a data set.
  """
  pictures, missing = [], []
  for setting in settings:
    title = settings_lib.dataset_title(setting.dataset)
    try:
      pictures += _pictures(setting)
    except (errors.MedxferError, OSError) as error:
      missing.append(
          f'{title}: no Grad-CAM and no activations, because {error}.')
  return Explained(tuple(pictures), tuple(missing))


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


def _pictures(setting: settings_lib.Setting) -> Sequence[Picture]:
  column = setting.pretrained or setting.networks[0]
  shown = [column, setting.random] if setting.random else [column]
  for run in (column.first for column in shown):
    if not workdir.Workdir(run.path).checkpoints.is_dir():
      raise errors.DataError(f'{run.name} keeps no {workdir.CHECKPOINTS}')
  # JAX and TensorFlow take seconds to load: only if there is something to see.
  from medxfer.report.figures import explanations
  return explanations.pictures(setting, column)
