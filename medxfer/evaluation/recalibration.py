"""Fits how sure a network should say it is, on its validation images.

Networks are too sure of themselves. `temperature` divides the logits by one
number (Guo et al., 'On calibration of modern neural networks', ICML 2017): no
prediction changes, only its probability. `bias_corrected` also adds a number to
the logit of each class (Alexandari, Kundaje and Shrikumar, 'Maximum likelihood
with bias-corrected calibration is hard-to-beat at label shift adaptation', ICML
2020), which undoes what class weights did to the probabilities. `auto` takes
what explains the validation images best, none of the two included, where it
was fitted to other groups of them.

Both fit by maximum likelihood, held near 'no change' as if by a few images:
networks that are right of all validation images would be infinitely sure.
"""

from collections.abc import Mapping
import dataclasses
from typing import Any

import numpy as np
from scipy import optimize
from scipy import special

from medxfer.evaluation import measure
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import resampling

NONE, TEMPERATURE, BIAS_CORRECTED, AUTO = METHODS = (
    'none',
    'temperature',
    'bias_corrected',
    'auto',
)
_SMALLEST = 1e-30  # Probability; float32 knows none much smaller.
_FOLDS = 5


@dataclasses.dataclass(frozen=True)
class Calibration:
  """A change of logits z to z / temperature + biases.

  Attributes:
    method: 'none', 'temperature' or 'bias_corrected'.
    temperature: above 1 where the network is too sure.
    biases: one per class, of mean 0.
  """

  method: str
  temperature: float
  biases: tuple[float, ...]

  @classmethod
  def none(cls, classes: int) -> 'Calibration':
    """Returns the change that changes nothing."""
    return cls(NONE, 1.0, (0.0,) * classes)

  @classmethod
  def from_json(cls, found: Mapping[str, Any]) -> 'Calibration':
    """Reads what `to_json` returns.

    Raises:
      AttributeError, KeyError, TypeError, ValueError: it is something else.
    """
    temperature, biases = found['temperature'], tuple(found['biases'].values())
    numbers = all(map(measure.is_number, (temperature, *biases)))
    if found['method'] not in METHODS or not numbers or temperature <= 0:
      raise ValueError('no calibration')
    return cls(found['method'], temperature, biases)

  def to_json(self, class_names: tuple[str, ...]) -> dict[str, Any]:
    """Returns `method`, `temperature` and `biases` {class: number}."""
    return {
        'method': self.method,
        'temperature': self.temperature,
        'biases': dict(zip(class_names, self.biases)),
    }

  def apply(self, probabilities: np.ndarray) -> np.ndarray:
    """Returns calibrated probabilities, float64 [n, k]."""
    logits = _logits(probabilities) / self.temperature + np.array(self.biases)
    return special.softmax(logits, axis=1)

  def undo(self, probabilities: np.ndarray) -> np.ndarray:
    """Returns what `apply` was given, float64 [n, k]."""
    logits = (_logits(probabilities) - np.array(self.biases)) * self.temperature
    return special.softmax(logits, axis=1)


def fit(
    predictions: predictions_lib.Predictions, method: str, *, seed: int = 0
) -> Calibration:
  """Fits a calibration to validation images.

  Args:
    predictions: n > 0 scored images, without any calibration.
    method: one of `METHODS`.
    seed: of the folds by which 'auto' compares.
  """
  if method == AUTO:
    method = min(
        (NONE, TEMPERATURE, BIAS_CORRECTED),
        key=lambda one: _held_out_loss(predictions, one, seed),
    )
  classes = len(predictions.class_names)
  if method == NONE:
    return Calibration.none(classes)
  free = classes if method == BIAS_CORRECTED else 0
  found = optimize.minimize(
      _objective,
      np.zeros(1 + free),
      (_logits(predictions.probabilities), predictions.labels),
      jac=True,
      method='L-BFGS-B',
      bounds=[(-3, 3)] * (1 + free),
  ).x
  biases = found[1:] - found[1:].mean() if free else np.zeros(classes)
  return Calibration(method, float(np.exp(found[0])), tuple(map(float, biases)))


def loss(predictions: predictions_lib.Predictions) -> float:
  """Returns the mean negative log likelihood of n > 0 scored images."""
  chosen = predictions.probabilities[
      np.arange(len(predictions.labels)), predictions.labels
  ]
  return float(-np.log(np.maximum(chosen, _SMALLEST)).mean())


def _objective(
    x: np.ndarray, logits: np.ndarray, labels: np.ndarray
) -> tuple[float, np.ndarray]:
  """Returns the summed loss at log temperature and biases, and its gradient."""
  rows = np.arange(len(labels))
  scale, biases = np.exp(-x[0]), x[1:]
  changed = logits * scale + (biases if biases.size else 0)
  log_p = special.log_softmax(changed, axis=1)
  slope = np.exp(log_p)
  slope[rows, labels] -= 1
  # The prior: a standard normal of each number.
  value = -log_p[rows, labels].sum() + np.square(x).sum() / 2
  gradient = x.copy()
  gradient[0] -= (slope * logits).sum() * scale
  if biases.size:
    gradient[1:] += slope.sum(axis=0)
  return float(value), gradient


def _held_out_loss(
    predictions: predictions_lib.Predictions, method: str, seed: int
) -> float:
  """Returns the loss of images whose groups did not fit the calibration."""
  unit = resampling.units(predictions)
  fold = np.random.default_rng(seed).permutation(unit.max() + 1) % _FOLDS
  total = 0.0
  for k in range(_FOLDS):
    mine = np.flatnonzero(fold[unit] == k)
    others = np.flatnonzero(fold[unit] != k)
    if len(mine) and len(others):
      held = predictions.take(mine)
      fitted = fit(predictions.take(others), method)
      total += len(mine) * loss(
          dataclasses.replace(
              held, probabilities=fitted.apply(held.probabilities)
          )
      )
  return total


def _logits(probabilities: np.ndarray) -> np.ndarray:
  return np.log(np.maximum(probabilities, _SMALLEST))
