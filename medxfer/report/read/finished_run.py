"""One workdir, read and checked: nothing after this meets a missing number.

Only files are read: no JAX, no TensorFlow, so that a page takes seconds.
"""

from collections.abc import Mapping
import dataclasses
import functools
import hashlib
import pathlib
import re
import typing
from typing import Any

from medxfer import baselines
from medxfer import errors
from medxfer import spec as specs
from medxfer.data import registry
from medxfer.evaluation import predictions as predictions_lib
from medxfer.external import results
from medxfer.model import architectures
from medxfer.report.read import checks
from medxfer.report.read import identity as identity_lib
from medxfer.runs import folds
from medxfer.runs import workdir
from medxfer.training import strategy

# With fewer test images of a class its scores are meaningless.
FEW = 10


@dataclasses.dataclass(frozen=True)
class Dataset:
  """What two runs must share to be in one table.

  Attributes:
    name: as in `spec.DataSpec.name`.
    folder: of a class folder, its last part; else ''.
    phantom: number of procedural images; 0 means real ones.
    class_names: k names.
    digest: of a class folder, what tells its images from another's; else ''.
  """

  name: str
  folder: str
  phantom: int
  class_names: tuple[str, ...]
  digest: str


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
  """A finished run.

  Attributes:
    name: its folder below the one that was searched.
    path: its workdir.
    dataset: its data set.
    spec: its specification.
    summary: its summary.json, with every number that a table shows.
    predictions: of the test subset, with groups.
    images: class -> subset -> number of images.
    history: one object per epoch; none for a baseline.
    left_out: (image or file, why it was not used, whether it is an image of
      the data set).
    device: what computed it, or ''.
    external: how it does on images from elsewhere, an object per place; see
      `external.validation.validate`.
    folds: the runs that were pooled to this one; () of a single run.
  """

  name: str
  path: pathlib.Path
  dataset: Dataset
  spec: specs.RunSpec
  summary: Mapping[str, Any]
  predictions: predictions_lib.Predictions
  images: Mapping[str, Mapping[str, int]]
  history: tuple[Mapping[str, float], ...]
  left_out: tuple[tuple[str, str, bool], ...]
  device: str
  external: tuple[Mapping[str, Any], ...] = ()
  folds: tuple['Run', ...] = ()

  @property
  def is_baseline(self) -> bool:
    """Whether it is a tree or a forest, which have no recipe."""
    return self.spec.model.name in baselines.NAMES

  @property
  def architecture(self) -> architectures.Architecture | None:
    """That of its network; None of a tree or a forest."""
    return architectures.BY_NAME.get(self.spec.model.name)

  @property
  def split(self) -> str:
    """The split, with the source that tests: 'source: NAME'."""
    data = self.spec.data
    return (
        f'{data.split}: {data.test_source}' if data.test_source else data.split
    )

  @property
  def single(self) -> 'Run':
    """A run that one network made: this one, or its first fold."""
    return self.folds[0] if self.folds else self

  @property
  def notes(self) -> tuple[str, ...]:
    """Why its training cannot be concluded from; older runs do not say."""
    return tuple(
        note['text'] for note in self.summary.get('training_notes') or ()
    )

  @property
  def few(self) -> dict[str, int]:
    """Class -> test images, of the classes that have too few."""
    return {
        name: subsets['test']
        for name, subsets in self.images.items()
        if subsets['test'] < FEW
    }

  @functools.cached_property
  def identity(self) -> specs.RunSpec:
    """What its repeats have in common; see `identity.of`."""
    return identity_lib.of(self.spec, is_pooled=bool(self.folds))


def read(path: pathlib.Path, name: str) -> Run:
  """Reads one workdir.

  Args:
    path: the workdir.
    name: what the report calls it.

  Raises:
    DataError: the run is not finished, or a file is missing or damaged.
  """
  folder = workdir.Workdir(path)
  if not folder.is_begun:
    raise errors.DataError('no config.json: a run writes it before it trains')
  spec = folder.spec()
  try:
    strategy.check(spec)
  except errors.UsageError as error:
    raise errors.DataError(f'config.json: {error}') from error
  if not folder.is_finished:
    raise errors.DataError('not finished: the command that began it resumes it')
  summary, predictions = folder.summary(), folder.predictions('test')
  checks.summary(path / 'summary.json', summary, predictions)
  rows, history = folder.split(), folder.history()
  checks.history(path / 'metrics.jsonl', history)
  return Run(
      name=name,
      path=path,
      spec=_decided(spec, summary),
      summary=summary,
      dataset=_dataset(spec.data, predictions.class_names, rows),
      predictions=predictions,
      images=checks.images(path / 'split.csv', rows, predictions),
      history=history,
      left_out=folder.left_out(),
      device=folder.devices(),
      external=tuple(results.read(path)),
  )


@functools.lru_cache(maxsize=256)
def validation(run: Run) -> predictions_lib.Predictions:
  """Reads how a network scored the images that chose its best epoch.

  Raises:
    DataError: the table is missing or damaged.
  """
  if run.folds:
    return folds.pooled([validation(fold) for fold in run.folds])
  try:
    scored = workdir.Workdir(run.path).predictions('val')
  except errors.DataError as error:
    raise errors.DataError(
        f'{run.name}: {without_folder(str(error), run.path)}'
    ) from error
  if scored.class_names != run.dataset.class_names:
    raise errors.DataError(
        f'{run.name}: {workdir.predictions_name("val")} has other classes than '
        f'{checks.PREDICTIONS}'
    )
  return scored


def without_folder(message: str, path: pathlib.Path) -> str:
  """Returns a message about a run's files without the run's folder."""
  return re.sub(f'{re.escape(str(path))}(/|: | )', '', message)


def _decided(spec: specs.RunSpec, summary: Mapping[str, Any]) -> specs.RunSpec:
  """Returns a specification with the split that `auto` came to."""
  splits = typing.get_args(typing.get_type_hints(specs.DataSpec)['split'])
  split = specs.renamed('data.split', summary.get('split', spec.data.split))
  if split not in splits:
    raise errors.DataError(f'summary.json: no split is called {split!r}')
  return dataclasses.replace(
      spec, data=dataclasses.replace(spec.data, split=split)
  )


def _dataset(
    data: specs.DataSpec, class_names: tuple[str, ...], rows: list[list[str]]
) -> Dataset:
  if not registry.get(data.name).user_folder:
    return Dataset(data.name, '', data.phantom, class_names, '')
  # Folders of one name are not one data set, and a moved one is.
  images = sorted((image, label) for image, label, *_ in rows)
  digest = hashlib.sha256(repr(images).encode()).hexdigest()
  return Dataset(
      data.name, pathlib.PurePath(data.dir).name, 0, class_names, digest
  )
