"""95 % means at least 93 %, and nothing is called a difference too often.

`tests/evaluation/coverage.py` has the simulations. Here they run with few
data sets: a bound is loosened by three standard errors of what so few can
tell, and averages over settings keep it to a percent or so. The many are in
`results/coverage.json`, which the quick test reads.
"""

import json
import math
import pathlib
from typing import Any

import numpy as np
import pytest

from tests.evaluation import coverage

_LEAST, _MOST = 0.93, 0.05
_MEASURED = pathlib.Path(__file__).parents[2] / 'results' / 'coverage.json'


def _error(share: float, repeats: int) -> float:
  """Three standard errors of a share."""
  return 3 * math.sqrt(share * (1 - share) / repeats)


def test_measured_coverage_is_at_least_93_percent() -> None:
  """In every setting: few images, rare classes, groups, perfect scores."""
  found = json.loads(_MEASURED.read_text())
  asked = {
      (*setting, true)
      for setting in coverage.settings()
      for true in coverage.TRUE
  }
  assert asked == {
      (*(row[key] for key in coverage.Setting._fields), row['true'])
      for row in found['decided']
  }
  for row in found['decided']:
    for key in ('accuracy', 'recall', 'f1', 'f1_macro'):
      covered, width = row[key]
      assert covered >= _LEAST and width > 0, (row, key)
  assert min(row['covered'] for row in found['auroc']) >= _LEAST
  for key in ('ece', 'brier'):
    # Two hundred data sets each: less one standard error.
    assert min(row[key] for row in found['calibration']) >= (
        _LEAST - _error(_LEAST, found['repeats']['calibration']) / 3
    )


def test_measured_false_differences_are_at_most_five_percent() -> None:
  """With 1 to 30 images a group, and with 1 to 5 seeds."""
  found = json.loads(_MEASURED.read_text())
  repeats = found['repeats']['false_clear']
  for row in found['false_clear']:
    for key in ('accuracy', 'f1_macro'):
      assert row[key] <= _MOST + _error(_MOST, repeats), (row, key)
  for seeds in (1, *coverage.SEEDS):
    shares = [
        row[key]
        for row in found['false_clear']
        if row['seeds'] == seeds
        for key in ('accuracy', 'f1_macro')
    ]
    assert np.mean(shares) <= _MOST


@pytest.mark.slow
@pytest.mark.parametrize('true', coverage.TRUE)
@pytest.mark.parametrize('classes', coverage.CLASSES)
def test_intervals_of_decisions_cover(classes: Any, true: Any) -> None:
  """Accuracy, recall (sensitivity, specificity), F1 and macro F1."""
  shares = coverage.CLASSES[classes]
  for setting in coverage.settings():
    if setting.classes != classes:
      continue
    repeats = 800 if setting.images < 1000 else 300
    one = coverage.decided(setting, true, repeats, 5)
    macro = coverage.decided(
        setting, coverage.with_macro_f1(shares, true), repeats, 6
    )
    for name, (covered, width) in (
        *one.items(),
        ('macro F1 itself', macro['f1_macro']),
    ):
      assert covered >= _LEAST - _error(_LEAST, repeats), (setting, name)
      assert width > 0


@pytest.mark.slow
@pytest.mark.parametrize('images, rare', [(20, 0.2), (100, 0.1)])
@pytest.mark.parametrize('largest', [1, 4])
def test_intervals_of_areas_cover(images: Any, rare: Any, largest: Any) -> None:
  """Also where all images of a rare class stand above all others."""
  for area in coverage.TRUE:
    covered = coverage.ranked(images, rare, largest, area, 300, 2)
    assert covered >= _LEAST - _error(_LEAST, 300)


@pytest.mark.slow
@pytest.mark.parametrize('times', [1.0, 3.0])
def test_intervals_of_calibration_cover(times: Any) -> None:
  """And the debiased error is nearer to the true one."""
  for images, largest in ((20, 1), (300, 1), (300, 4)):
    found = coverage.calibrated(images, largest, times, 200, 3)
    for key in ('ece', 'brier'):
      assert found[key] >= _LEAST - _error(_LEAST, 200), (images, largest)
    assert abs(found['mean_debiased'] - found['true_ece']) < abs(
        found['mean_ece'] - found['true_ece']
    )


@pytest.mark.slow
@pytest.mark.parametrize('classes', ['two', 'HAM10000'])
@pytest.mark.parametrize('largest', [1, 2, 4, 30])
def test_equal_classifiers_are_seldom_told_apart(
    classes: Any, largest: Any
) -> None:
  """McNemar's test alone would do so for 26 % of groups of four."""
  found = coverage.false_clear(1, largest, 0.0, 250, 4, classes=classes)
  for name, share in found.items():
    assert share <= _MOST + _error(_MOST, 250), name


@pytest.mark.slow
@pytest.mark.parametrize('seeds', coverage.SEEDS)
def test_equal_methods_are_seldom_told_apart_by_seeds(seeds: Any) -> None:
  """Whether images or trainings differ more; two seeds gave 22 to 27 %."""
  shares = [
      share
      for largest in (1, 4)
      for training in coverage.TRAINING
      for share in coverage.false_clear(
          seeds, largest, training, 60, 5
      ).values()
  ]
  assert max(shares) <= _MOST + _error(_MOST, 60)
  # 6 x 60 data sets.
  assert np.mean(shares) <= _MOST + _error(_MOST, 360) / 3
