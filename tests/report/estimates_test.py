"""Protects what is called clear: of one seed, of several, of several pairs."""

import itertools
import math
import statistics

import pytest

from medxfer.report.read import collect
from medxfer.report.read import estimates
from medxfer.report.read import settings as settings_lib
from medxfer.report.stats import contrasts
from tests.report import workdirs


def test_two_seeds_of_equal_networks_are_not_clear(tmp_path):
  """Two seeds agree by chance: a mean beyond twice their spread is no proof."""
  seeds = range(7)
  for seed in seeds:
    for arm in ('all', 'last_block'):
      workdirs.write(tmp_path / f'{arm}{seed}', arm, seed=seed, skill=1.5)
  [setting] = settings_lib.arrange(collect.collect(tmp_path).runs)
  a, b = setting.columns
  by_spread = 0
  for pair in itertools.combinations(seeds, 2):
    one, other = (settings_lib.Column(c.arm, c.title, c.group, tuple(
        run for run in c.runs if run.spec.seed in pair), None)
                  for c in (a, b))
    differences = [x.summary['test']['f1_macro'] - y.summary['test']['f1_macro']
                   for x, y in zip(one.runs, other.runs)]
    by_spread += abs(statistics.fmean(differences)) > 2 * statistics.stdev(
        differences)
    found = contrasts.contrast(one, other)
    assert found.how == 'seeds' and not found.is_clear
    assert found.f1_macro.low < 0 < found.f1_macro.high
  assert by_spread  # What versions went by that looked at the spread alone.


def test_several_seeds_that_agree_are_clear(tmp_path):
  """A rule that never says so would be safe and useless."""
  for seed in range(3):
    workdirs.write(tmp_path / f'a{seed}', 'all', seed=seed, skill=4.)
    workdirs.write(tmp_path / f'b{seed}', 'last_block', seed=seed, skill=1.)
  [setting] = settings_lib.arrange(collect.collect(tmp_path).runs)
  assert contrasts.contrast(*setting.columns).is_clear


@pytest.mark.parametrize(
    'ends', [(.001, .2), (-.001, .2), (-.3, -.05), (0, .1)])
def test_p_value_and_interval_never_disagree(ends):
  """One page must not call a difference clear and not clear."""
  found = estimates.Estimate(sum(ends) / 2, *ends)
  assert (found.p_value() < .05) == found.is_clear
  few = estimates.Estimate(sum(ends) / 2, *ends, seeds=2)
  assert (few.p_value() < .05) == few.is_clear
  # Far from zero two seeds are less sure than one number of many images.
  assert few.p_value(-9.) > found.p_value(-9.)


def test_nothing_is_proved_by_an_interval_of_no_width():
  """Nor by none."""
  assert estimates.Estimate(.5, .5, .5).p_value() == 1
  assert estimates.Estimate(.5).p_value() is None
  assert not estimates.Estimate(.5).is_clear


def test_a_difference_reads_the_same_from_both_sides():
  """a minus b and b minus a are one comparison."""
  one = contrasts.Contrast(
      estimates.Estimate(.1, .05, .2), estimates.Estimate(-.1, -.3, .02),
      .2, 'paired', .4)
  other = one.reversed()
  assert other.f1_macro == estimates.Estimate(.1, -.02, .3)
  assert other.accuracy == estimates.Estimate(-.1, -.2, -.05)
  assert other.words == '+0.100 (−0.020 to +0.300), not clear'
  assert other.reversed() == one


def test_two_independent_estimates_add_in_squares():
  """As of the two splits of a leak."""
  found = contrasts.independent(
      estimates.Estimate(.8, .7, .9), estimates.Estimate(.5, .4, .7))
  assert found.value == pytest.approx(.3)
  assert found.low == pytest.approx(.3 - math.hypot(.1, .2))
  assert found.high == pytest.approx(.3 + math.hypot(.1, .1))
