"""Protects what goes with an advice, in words."""

from typing import Any

import pytest

from medxfer.study.advice import caveats


def _difference(low: float, high: float) -> dict[str, Any]:
  return {'difference': (low + high) / 2, 'interval': [low, high]}


def _there(difference: dict[str, Any]) -> dict[str, Any]:
  score = {'value': 0.4, 'interval': [0.3, 0.5]}
  arm = {'f1_macro': score, 'auroc_macro': score}
  return {
      'name': 'clinic',
      'n': 1000,
      'advised': 'last_block',
      'arms': {
          'last_block': {**arm, 'to_advised': None},
          'all': {**arm, 'to_advised': difference},
      },
  }


def test_an_advice_that_does_not_hold_elsewhere_is_said() -> None:
  """Only where another strategy is clearly better there."""
  first, second = caveats.elsewhere(_there(_difference(0.02, 0.1)))
  assert first == (
      'On 1,000 images from elsewhere (clinic), the last block reaches a macro '
      'F1 of 0.400, 0.300 to 0.500 (AUROC 0.400, 0.300 to 0.500).'
  )
  assert second == (
      'Clearly better there: everything (+0.060 (+0.020 to +0.100)); the '
      'advice does not hold there.'
  )
  _, second = caveats.elsewhere(_there(_difference(-0.02, 0.1)))
  assert second == 'No other strategy that was scored there is clearly better.'
  assert not list(caveats.elsewhere(None))


def _cuts(best: str, cut: str) -> dict[str, Any]:
  layers = {
      name: {'test': {'f1_macro': f1}, 'operations': share}
      for name, f1, share in (
          ('block1_conv1', 0.3, 0.1),
          ('block2_conv1', 0.45, 0.4),
          ('block3_conv1', 0.5, 1.0),
      )
  }
  return {'layers': layers, 'best': best, 'cut': cut}


def test_where_the_network_could_be_cut() -> None:
  """At the first layer that is good enough; not at all if that is the last."""
  [said] = caveats.truncation(_cuts('block3_conv1', 'block2_conv1'))
  assert 'could be cut after block2_conv1' in said
  assert '0.450, the best layer (block3_conv1) 0.500, at 40 %' in said
  [said] = caveats.truncation(_cuts('block2_conv1', 'block2_conv1'))
  assert '0.450, the most of all layers, at 40 %' in said
  [said] = caveats.truncation(_cuts('block3_conv1', 'block3_conv1'))
  assert 'should not be cut' in said
  assert not list(caveats.truncation(None))


def test_who_falls_for_a_planted_mark() -> None:
  """Each strategy, with the mark and without."""
  mark = {'class': 'mel', 'n': 100, 'before': 0.1, 'after': 0.8}
  arms = {'head': {'planted': mark}, 'all': {'planted': {**mark, 'after': 0.2}}}
  [said] = caveats.planted({'arms': arms})
  assert said.endswith(
      'makes this part of the 100 test images of other classes be taken for it '
      '(in brackets without the mark): the head alone 80 % (10 %), everything '
      '20 % (10 %).'
  )
  assert not list(caveats.planted({'arms': {'head': {'planted': None}}}))


def test_what_was_not_tried_is_said() -> None:
  """Rates, seeds, and a best rate at the end of those that were tried."""
  found = {'rates': [0.3, 1, 3], 'seeds': [0, 1, 2], 'left': ['a', 'b']}
  arms = {
      'head': {'rate': 3, 'tried': [0.3, 1, 3], 'seeds': [0], 'dropped': False},
      'all': {'rate': 1, 'tried': [1], 'seeds': [0, 1, 2], 'dropped': False},
      'lp_ft': {'rate': 1, 'tried': [1], 'seeds': [0], 'dropped': True},
  }
  said = list(caveats.untested(found, {'arms': arms}))
  assert said[:4] == [
      'Not trained for want of time: up to 2 runs.',
      'Not all learning rates were tried of: everything.',
      'Fewer than 3 seeds: the head alone.',
      'Best at the lowest or highest learning rate that was tried, so that a '
      'further one may be better: the head alone.',
  ]
  assert 'Not tested on images from elsewhere' in said[4]


@pytest.mark.parametrize(
    'on_val, on_test, is_said',
    [
        ([0.97, 0.99], [0.70, 0.80], True),
        ([0.79, 0.99], [0.70, 0.80], False),
        ([0.50, 0.60], [0.70, 0.80], False),
        ([0.97, 0.99], None, False),
        (None, [0.70, 0.80], False),
    ],
)
def test_validation_that_promises_too_much_is_said(
    on_val: list[float] | None, on_test: list[float] | None, is_said: bool
) -> None:
  """A choice that is sure by images of one hospital is none for another."""
  arm = {
      'validation': 0.98,
      'validation_interval': on_val,
      'test': {'value': 0.75, 'interval': on_test, 'seeds': 2},
  }
  said = list(caveats.shifted({'advised': 'head', 'arms': {'head': arm}}))
  assert bool(said) == is_said
  assert not said or 'promises 0.980 (0.970 to 0.990)' in said[0]
