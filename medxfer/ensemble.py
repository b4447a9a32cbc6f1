"""Several trained networks as one: the mean of their probabilities.

    run = medxfer.load('runs/seed0', 'runs/seed1', 'runs/seed2')
    run.predict_proba(images)

Networks that differ in nothing but their seed err on different images, so that
their mean errs less and says better how sure it is (Lakshminarayanan et al.,
'Simple and scalable predictive uncertainty estimation using deep ensembles',
NeurIPS 2017).
"""

import dataclasses
import functools
import os

from medxfer import classifier
from medxfer import errors
from medxfer import predictor
from medxfer.data import deep_grey
from medxfer.runs import averages
from medxfer.runs import network as network_lib


@dataclasses.dataclass(frozen=True, eq=False)
class Ensemble(predictor.Predictor):
  """Classifiers whose probabilities are averaged.

  Attributes:
    members: the classifiers, two or more; each knows its layers and scores.
  """

  members: tuple[classifier.Classifier, ...]

  def __repr__(self) -> str:
    return f'<average of {", ".join(map(repr, self.members))}>'

  @functools.cached_property
  def network(self) -> network_lib.Average:
    """The average."""
    return network_lib.Average(tuple(one.network for one in self.members))

  @property
  def grey_range(self) -> deep_grey.Range | None:
    """That of each of them."""
    return self.members[0].grey_range


def load(
    path: str | os.PathLike[str], *more: str | os.PathLike[str]
) -> classifier.Classifier | Ensemble:
  """Returns the network of a run, or the average of several runs.

  Args:
    path: the workdir of a run.
    *more: those of others, to average: of the same classes and image size.

  Raises:
    DataError: a folder is no workdir, or its checkpoint is damaged.
    UsageError: a run is a tree or a forest, which keep no weights; or the runs
      cannot be averaged.
  """
  if isinstance(path, (list, tuple)):
    raise errors.UsageError('give each workdir by itself: load(*paths)')
  members = tuple(map(classifier.load, (path, *more)))
  first = members[0]
  if not more:
    return first
  averages.refuse_twice([member.path for member in members])
  for other in members[1:]:
    for what, of_run in (
        ('classes', lambda run: run.class_names),
        ('an image size', lambda run: run.image_size),
        ('a range of deep grey images', lambda run: run.grey_range),
    ):
      if of_run(other) != of_run(first):
        raise errors.UsageError(
            f'{other.path} has {what} of its own, {of_run(other)}, not that of '
            f'{first.path}, {of_run(first)}: only what is alike can be averaged'
        )
  return Ensemble(members)
