"""Measures what calibrations bring that medxfer has, and two that it has not.

    python -m tests.evaluation.calibration_rates --output=JSON RUN...

Vector scaling gives each class a factor and a bias (Guo et al., ICML 2017),
Dirichlet calibration a matrix whose other entries are held near 0 (Kull et al.,
NeurIPS 2019). Of each method the mean over the runs is written: the loss of
validation images whose groups did not fit it (which chooses), and loss,
debiased calibration error, accuracy and macro F1 of the test images.
"""

import argparse
from collections.abc import Callable
import dataclasses
import json
import pathlib

import numpy as np
from scipy import optimize
from scipy import special

from medxfer.evaluation import calibration
from medxfer.evaluation import metrics
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import recalibration
from medxfer.evaluation import resampling
from medxfer.runs import calibrated
from medxfer.runs import workdir

_METHODS = ('none', 'temperature', 'bias_corrected', 'vector', 'dirichlet')
_FOLDS = 5
_RIDGE = 1e-3  # Of the matrix and the biases of Dirichlet, times images.

Table = predictions_lib.Predictions
Change = Callable[[np.ndarray], np.ndarray]


def fit(table: Table, method: str) -> Change:
  """Returns probabilities -> calibrated ones."""
  if method in recalibration.METHODS:
    return recalibration.fit(table, method).apply
  k = len(table.class_names)
  start = np.concatenate([np.eye(k).ravel(), np.zeros(k)])
  free = np.ones((k, k)) if method == 'dirichlet' else np.eye(k)
  found = optimize.minimize(
      _objective,
      start,
      (_logits(table.probabilities), table.labels, free),
      jac=True,
      method='L-BFGS-B',
  ).x
  matrix, bias = found[: k * k].reshape(k, k) * free, found[k * k :]
  return lambda p: special.softmax(_logits(p) @ matrix.T + bias, axis=1)


def _objective(
    x: np.ndarray, logits: np.ndarray, labels: np.ndarray, free: np.ndarray
) -> tuple[float, np.ndarray]:
  n, k = logits.shape
  matrix, bias = x[: k * k].reshape(k, k) * free, x[k * k :]
  log_p = special.log_softmax(logits @ matrix.T + bias, axis=1)
  slope = np.exp(log_p)
  slope[np.arange(n), labels] -= 1
  away = (matrix - np.eye(k)) * (1 - np.eye(k))
  held = _RIDGE * n
  value = -log_p[np.arange(n), labels].sum()
  value += held * (np.square(away).sum() + np.square(bias).sum())
  gradient = (slope.T @ logits + 2 * held * away) * free
  return float(value), np.concatenate(
      [gradient.ravel(), slope.sum(0) + 2 * held * bias]
  )


def _logits(probabilities: np.ndarray) -> np.ndarray:
  return np.log(np.maximum(probabilities, 1e-30))


def _raw(folder: workdir.Workdir, subset: str) -> Table:
  """Returns what a run scored, without its calibration."""
  table = folder.predictions(subset)
  fitted = calibrated.of_summary(folder.summary(), table.class_names)
  return dataclasses.replace(
      table, probabilities=fitted.undo(table.probabilities)
  )


def _held_out(table: Table, method: str) -> float:
  unit = resampling.units(table)
  fold = np.random.default_rng(0).permutation(unit.max() + 1) % _FOLDS
  total = 0.0
  for k in range(_FOLDS):
    mine = table.take(np.flatnonzero(fold[unit] == k))
    others = table.take(np.flatnonzero(fold[unit] != k))
    change = fit(others, method)
    total += len(mine.labels) * recalibration.loss(
        dataclasses.replace(mine, probabilities=change(mine.probabilities))
    )
  return total / len(table.labels)


def measure(path: pathlib.Path, method: str) -> dict[str, float]:
  """Returns what a method brings to one run."""
  folder = workdir.Workdir(path)
  val, test = _raw(folder, 'val'), _raw(folder, 'test')
  done = dataclasses.replace(
      test, probabilities=fit(val, method)(test.probabilities)
  )
  scores = metrics.compute(done)
  return {
      'validation_loss': _held_out(val, method),
      'test_loss': recalibration.loss(done),
      'test_ece_debiased': calibration.debiased_error(done),
      'test_accuracy': scores['accuracy'],
      'test_f1_macro': scores['f1_macro'],
  }


def main() -> None:
  """Measures, and writes one file."""
  parser = argparse.ArgumentParser()
  parser.add_argument('--output', type=pathlib.Path, required=True)
  parser.add_argument('runs', type=pathlib.Path, nargs='+')
  args = parser.parse_args()
  answer = {}
  for method in _METHODS:
    each = [measure(path, method) for path in args.runs]
    answer[method] = {
        key: float(np.mean([one[key] for one in each])) for key in each[0]
    }
  args.output.parent.mkdir(parents=True, exist_ok=True)
  args.output.write_text(json.dumps(answer, indent=2) + '\n')


if __name__ == '__main__':
  main()
