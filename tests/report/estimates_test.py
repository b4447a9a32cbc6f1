"""Protects what is called clear: of one seed, of several, of several pairs."""

import itertools
import math
import pathlib
import statistics

import pytest

from medxfer.report.read import collect
from medxfer.report.read import estimates
from medxfer.report.read import settings as settings_lib
from medxfer.report.stats import contrasts
from tests.report import workdirs


def test_two_seeds_of_equal_networks_are_not_clear(
    tmp_path: pathlib.Path,
) -> None:
  """Two seeds agree by chance: a mean beyond twice their spread is no proof."""
  seeds = range(7)
  for seed in seeds:
    for arm in ('all', 'last_block'):
      workdirs.write(tmp_path / f'{arm}{seed}', arm, seed=seed, skill=1.5)
  [setting] = settings_lib.arrange(collect.collect(tmp_path).runs)
  a, b = setting.columns
  by_spread = 0
  for pair in itertools.combinations(seeds, 2):
    one, other = (
        settings_lib.Column(
            c.arm,
            c.title,
            c.group,
            tuple(run for run in c.runs if run.spec.seed in pair),
            None,
        )
        for c in (a, b)
    )
    differences = [
        x.summary['test']['f1_macro'] - y.summary['test']['f1_macro']
        for x, y in zip(one.runs, other.runs)
    ]
    by_spread += abs(statistics.fmean(differences)) > 2 * statistics.stdev(
        differences
    )
    found = contrasts.contrast(one, other)
    assert found.how == 'seeds' and not found.is_clear
    assert found.f1_macro.low < 0 < found.f1_macro.high
  assert by_spread  # What versions went by that looked at the spread alone.


def test_several_seeds_that_agree_are_clear(tmp_path: pathlib.Path) -> None:
  """A rule that never says so would be safe and useless."""
  for seed in range(3):
    workdirs.write(tmp_path / f'a{seed}', 'all', seed=seed, skill=4.0)
    workdirs.write(tmp_path / f'b{seed}', 'last_block', seed=seed, skill=1.0)
  [setting] = settings_lib.arrange(collect.collect(tmp_path).runs)
  assert contrasts.contrast(*setting.columns).is_clear


@pytest.mark.parametrize(
    'ends', [(0.001, 0.2), (-0.001, 0.2), (-0.3, -0.05), (0, 0.1)]
)
def test_p_value_and_interval_never_disagree(ends: tuple) -> None:
  """One page must not call a difference clear and not clear."""
  found = estimates.Estimate(sum(ends) / 2, *ends)
  assert (found.p_value() < 0.05) == found.is_clear
  few = estimates.Estimate(sum(ends) / 2, *ends, seeds=2)
  assert (few.p_value() < 0.05) == few.is_clear
  # Far from zero two seeds are less sure than one number of many images.
  assert few.p_value(-9.0) > found.p_value(-9.0)


def test_nothing_is_proved_by_an_interval_of_no_width() -> None:
  """Nor by none."""
  assert estimates.Estimate(0.5, 0.5, 0.5).p_value() == 1
  assert estimates.Estimate(0.5).p_value() is None
  assert not estimates.Estimate(0.5).is_clear


def test_a_difference_reads_the_same_from_both_sides() -> None:
  """a minus b and b minus a are one comparison."""
  one = contrasts.Contrast(
      estimates.Estimate(0.1, 0.05, 0.2),
      estimates.Estimate(-0.1, -0.3, 0.02),
      0.2,
      'paired',
      0.4,
  )
  other = one.reversed()
  assert other.f1_macro == estimates.Estimate(0.1, -0.02, 0.3)
  assert other.accuracy == estimates.Estimate(-0.1, -0.2, -0.05)
  assert other.words == '+0.100 (−0.020 to +0.300), not clear'
  assert other.reversed() == one


def test_two_independent_estimates_add_in_squares() -> None:
  """As of the two splits of a leak."""
  found = contrasts.independent(
      estimates.Estimate(0.8, 0.7, 0.9), estimates.Estimate(0.5, 0.4, 0.7)
  )
  assert found.value == pytest.approx(0.3)
  assert found.low == pytest.approx(0.3 - math.hypot(0.1, 0.2))
  assert found.high == pytest.approx(0.3 + math.hypot(0.1, 0.1))
