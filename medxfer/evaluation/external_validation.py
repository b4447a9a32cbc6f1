"""How a network does on images from elsewhere, against its own test images.

What it loses is told apart:

* ranking: the AUROC, which neither a threshold nor the fractions of the classes
  change;
* threshold (of two classes): the accuracy with a threshold that is chosen on
  the new images, each fifth of their groups by the four others, so that no
  image chooses its own;
* fractions of the classes: the accuracy and the calibration error when the
  probabilities are adjusted to the fractions there, known from the labels or
  estimated without them (`prior_shift`);
* calibration: the calibration error.

The two sets of images are independent; see `measure` for the interval of a
difference.
"""

from collections.abc import Mapping
import dataclasses
from typing import Any

import numpy as np

from medxfer.evaluation import calibration
from medxfer.evaluation import intervals
from medxfer.evaluation import measure
from medxfer.evaluation import metrics
from medxfer.evaluation import operating_point
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import prior_shift
from medxfer.evaluation import resampling

METRICS = ('auroc_macro', 'accuracy', 'balanced_accuracy', 'f1_macro', 'ece')
_FOLDS = 5
_SMALLEST = 1e-6  # Fraction of a class in training.


@dataclasses.dataclass(frozen=True)
class Places:
  """Scored images of the two places, of the classes that both have.

  Attributes:
    here: the test images of the network's own data set.
    there: the images from elsewhere.
    classes: the classes that both have, in the network's order.
  """

  here: predictions_lib.Predictions
  there: predictions_lib.Predictions
  classes: tuple[str, ...]


def of_shared_classes(
    here: predictions_lib.Predictions, there: predictions_lib.Predictions
) -> Places:
  """Returns both places less the images of classes that one of them lacks.

  The columns of probabilities stay as they are: an image may still be called
  a class that is not there.
  """
  shared = np.intersect1d(here.labels, there.labels)
  mine = lambda one: one.take(np.flatnonzero(np.isin(one.labels, shared)))
  classes = tuple(here.class_names[k] for k in shared)
  return Places(mine(here), mine(there), classes)


def compare(
    places: Places, source: np.ndarray, *, resamples: int = 1000, seed: int = 0
) -> dict[str, Any]:
  """Compares a network's scores in two places, ready for JSON.

  Args:
    places: the scored images, of one class or more.
    source: float [k], the fractions of the classes in training as the loss has
      weighed them; sum 1.
    resamples: draws for the intervals of calibration errors.
    seed: of the draws, and of the fifths that choose thresholds.

  Returns:
    `classes` (those that both places have); `metrics` {name of `METRICS`:
    {`here`, `there`, `difference` (there minus here): {`value`, `interval`}}};
    `threshold`: {`value`, `interval`} of the accuracy with a threshold that is
    chosen there, None of more than two classes; `fractions`: {`training`,
    `known`, `estimated`: {class: fraction}}; `adjusted`: {`known`,
    `estimated`: {`accuracy`, `ece`: {`value`, `interval`}}}, None of a single
    class. What is undefined is None.
  """
  draws = {'resamples': resamples, 'seed': seed}
  here, there = (_measures(one, draws) for one in (places.here, places.there))
  k = len(places.there.class_names)
  names = places.there.class_names
  known = np.bincount(places.there.labels, minlength=k) / len(
      places.there.image_ids
  )
  source = np.maximum(source, _SMALLEST) / np.maximum(source, _SMALLEST).sum()
  estimated = prior_shift.estimate(places.there.probabilities, source)
  named = lambda values: dict(zip(names, map(float, values)))
  return {
      'classes': list(places.classes),
      'metrics': {
          name: {
              'here': here[name],
              'there': there[name],
              'difference': measure.difference(
                  *(measure.Measure(**one[name]) for one in (there, here))
              ),
          }
          for name in METRICS
      },
      'threshold': _with_own_threshold(places.there, seed),
      'fractions': {
          'training': named(source),
          'known': named(known),
          'estimated': named(estimated),
      },
      'adjusted': {
          name: _adjusted(places.there, source, target, draws)
          for name, target in (('known', known), ('estimated', estimated))
      }
      # Of one class, the known fraction would be the answer.
      if len(places.classes) > 1 else None,
  }


def _measures(
    scored: predictions_lib.Predictions, draws: Mapping[str, int]
) -> dict[str, dict[str, Any]]:
  """Returns metric -> value and interval."""
  values = {
      **metrics.compute(scored),
      'ece': calibration.expected_calibration_error(scored),
  }
  ranges = intervals.compute(scored, **draws)
  return {
      name: {'value': values[name], 'interval': ranges[name]}
      for name in METRICS
  }


def _with_own_threshold(
    there: predictions_lib.Predictions, seed: int
) -> dict[str, Any] | None:
  """Returns the accuracy with a threshold that is chosen on other groups."""
  if len(there.class_names) != 2:
    return None
  positive = there.class_names[1]
  unit = resampling.units(there)
  fold = np.random.default_rng(seed).permutation(unit.max() + 1) % _FOLDS
  predicted = there.predicted.copy()
  for k in range(_FOLDS):
    mine = fold[unit] == k
    others = there.take(np.flatnonzero(~mine))
    if len(set(others.labels.tolist())) < 2:
      return None
    value = operating_point.threshold(others, positive)
    predicted[mine] = there.probabilities[mine, 1] >= value
  return {
      'value': float((predicted == there.labels).mean()),
      'interval': intervals.of_decisions(there, predicted)['accuracy'],
  }


def _adjusted(
    there: predictions_lib.Predictions,
    source: np.ndarray,
    target: np.ndarray,
    draws: Mapping[str, int],
) -> dict[str, Any]:
  moved = dataclasses.replace(
      there,
      probabilities=prior_shift.adjusted(there.probabilities, source, target),
  )
  found = _measures(moved, draws)
  return {name: found[name] for name in ('accuracy', 'ece')}
