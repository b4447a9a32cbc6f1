"""Advice studies whose runs are drawn, not trained."""

from collections.abc import Callable
from collections.abc import Mapping
import pathlib
from typing import Any

import ml_collections
import numpy as np

from medxfer import files
from medxfer import spec as specs
from medxfer.evaluation import predictions as predictions_lib
from medxfer.recipes import advice
from medxfer.runs import workdir
from medxfer.study.advice import grid as grids
from medxfer.training import costs

IMAGES = costs.Images(train=600, val=200, test=200, classes=7)
_CLASSES = tuple('abcdefg')


def config(**study: Any) -> ml_collections.ConfigDict:
  """Returns a configuration of the phantoms, with keys of `study` changed."""
  found = advice.get_config('ham,tuned,cpu,phantom')
  found.study.update({'arms': 'head,last_block,all,random', **study})
  return found


def grid(**study: Any) -> grids.Grid:
  """Returns the grid of such a configuration."""
  return grids.of_config(config(**study), IMAGES)


def table(right: float, seed: int, luck: int = 9, count: int = 200) -> Any:
  """Returns decisions of which a fraction is right.

  Args:
    right: the fraction.
    seed: of the wrong decisions.
    luck: decides which images are easy; networks with the same luck stumble
      over the same ones.
    count: of images.
  """
  generator = np.random.default_rng(seed)
  labels = np.arange(count) % len(_CLASSES)
  wrong = np.random.default_rng(luck).permutation(count) / count >= right
  decided = np.where(
      wrong, (labels + generator.integers(1, 7, count)) % 7, labels
  )
  return predictions_lib.Predictions(
      tuple(f'image{i}' for i in range(count)),
      labels,
      np.eye(len(_CLASSES))[decided],
      _CLASSES,
      tuple(f'group{i}' for i in range(count)),
  )


def write(
    folder: pathlib.Path, spec: specs.RunSpec, right: float, train: int
) -> None:
  """Writes a finished run."""
  folder.mkdir(parents=True)
  run = workdir.Workdir(folder)
  run.write_start(spec, {})
  split = []
  for subset, shift in (('val', 0), ('test', 1)):
    scored = table(right, seed=spec.seed + shift)
    run.write_predictions(subset, scored)
    split += [
        [name, scored.class_names[label], group, subset]
        for name, label, group in zip(
            scored.image_ids, scored.labels, scored.groups
        )
    ]
  run.write_inputs({}, split, [])
  run.write_summary(
      {'n': {'train': train}, 'epochs_run': 2, 'train_seconds': 4.0}
  )


def runner(
    quality: Callable[[specs.RunSpec], float],
    ran: list[specs.RunSpec],
    seconds: Callable[[float], None] = lambda _: None,
) -> Callable[..., str]:
  """Returns what stands in for `execute.attempt`.

  Args:
    quality: specification -> fraction of the images that it decides rightly.
    ran: to which each specification is added.
    seconds: told about how long the run would have taken.
  """

  def attempt(
      spec: specs.RunSpec, path: pathlib.Path, left: float | None = None
  ) -> str:
    del left
    ran.append(spec)
    write(path, spec, quality(spec), spec.data.train_images or IMAGES.train)
    seconds(1.0)
    return ''

  return attempt


def read(path: pathlib.Path) -> Mapping[str, Any]:
  """Returns what `advice.json` holds."""
  return files.read_json(path / 'advice.json')
