"""The advice in words; free of JAX, so that a page takes seconds."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import TYPE_CHECKING

from medxfer.study.advice import caveats
from medxfer.study.advice import grid as grids
from medxfer.study.advice import words

if TYPE_CHECKING:
  from medxfer.study.advice import choice as choices


def so_far(grid: grids.Grid, choice: choices.Choice) -> str:
  """Returns in one line what is known for all training images so far."""
  advised, control = choice.advised, choice.standings.get(grids.CONTROL)
  tested = len(choice.candidates)
  parts = [
      f'so far, with {grid.images.train:,} training images: '
      f'{words.instruction(advised.arm)} (validation macro F1 '
      f'{advised.on_val:.3f}, {tested} '
      f'{"strategy" if tested == 1 else "strategies"} tried)'
  ]
  if control:
    parts.append(f'random weights reach {control.on_val:.3f}')
  return '; '.join(parts)


def sentences(found: Mapping[str, Any]) -> list[str]:
  """Returns the advice, a sentence each, for all training images.

  Args:
    found: see `findings.of`.
  """
  if not found['sizes']:
    return ['No strategy has finished yet: nothing can be advised.']
  size = found['sizes'][0]
  return [
      *_advice(size),
      *_pretraining(size),
      *_runner_up(size),
      *_certainty(size),
      *caveats.shifted(size),
      *_price(size),
      *_rules(found['rules']),
      *_more(found, size),
      *_fewer(found),
      *caveats.elsewhere(found.get('elsewhere')),
      *caveats.planted(size),
      *caveats.truncation(found.get('truncation')),
      *caveats.untested(found, size),
  ]


def _advice(size: Mapping[str, Any]) -> Iterator[str]:
  arm = size['arms'][size['advised']]
  seeds = len(arm['seeds'])
  yield (
      f'With your {size["train_images"]:,} training images: '
      f'{words.instruction(size["advised"])} (test macro F1 '
      f'{words.estimate(arm["test"])}, {words.count(seeds, "seed")}, '
      f'{arm["rate"]:g} times the learning rate of the recipe).'
  )
  others = [a for a in size['level'] if a != size['advised']]
  if len(size['shares']) > 1 and len(size['level']) == len(size['shares']):
    yield (
        'The validation images cannot tell the strategies apart; this is the '
        f'cheapest of those within {grids.MARGIN:g} of the best.'
    )
  elif size['advised'] != size['leader']:
    yield (
        f'The validation images prefer {words.noun(size["leader"])} by less '
        f'than {grids.MARGIN:g}, which is not clear; this is cheaper.'
    )
  elif others:
    yield (
        'Not clearly worse on validation: '
        f'{", ".join(words.noun(other) for other in others)}.'
    )


def _pretraining(size: Mapping[str, Any]) -> Iterator[str]:
  if size['pretraining']:
    gain = size['pretraining']
    yield (
        f'ImageNet’s weights bring {words.difference(gain)} of macro F1 over '
        f'random weights{words.unclear(gain)}.'
    )


def _runner_up(size: Mapping[str, Any]) -> Iterator[str]:
  if not size['runner_up']:
    return
  mine, other = (
      size['arms'][arm] for arm in (size['advised'], size['runner_up'])
  )
  times = words.times(other['operations'] / mine['operations'])
  yield (
      f'Next by validation is {words.noun(size["runner_up"])}: '
      f'{words.difference(other["to_advised"])} on test'
      f'{words.unclear(other["to_advised"])}, at {times} the operations of a '
      f'training ({other["minutes_per_epoch"]:.1f} minutes per epoch, here '
      f'{mine["minutes_per_epoch"]:.1f}).'
  )


def _certainty(size: Mapping[str, Any]) -> Iterator[str]:
  share = size['share']
  if len(size['shares']) < 2:
    yield 'Nothing else was tried: this is no choice yet.'
    return
  word = (
      'sure'
      if share >= grids.SURE
      else 'likely'
      if share >= grids.LIKELY
      else 'open'
  )
  yield (
      f'The choice is {word}: {100 * share:.0f} % of the resampled sets of '
      'validation images and seeds put it first.'
  )


def _price(size: Mapping[str, Any]) -> Iterator[str]:
  arms = {a: one for a, one in size['arms'].items() if a != grids.CONTROL}
  if len(arms) < 2:
    return
  mine = arms[size['advised']]['regret']
  worst = max(arms, key=lambda a: arms[a]['regret']['value'])
  yield (
      'On test it is the best of all.'
      if size['best_on_test'] == size['advised']
      else f'On test {words.noun(size["best_on_test"])} was best, which nobody '
      f'can know before: the advice loses {words.regret(mine)} to it.'
  )
  if worst != size['advised']:
    lost = words.regret(arms[worst]['regret'])
    yield f'The worst choice, {words.noun(worst)}, loses {lost}.'


def _rules(rules: Mapping[str, Any]) -> Iterator[str]:
  if len(rules) < 2:
    return
  count = len(rules['advice']['by_size'])
  over = f', mean over {count} numbers of training images' if count > 1 else ''
  yield (
      f'Loss to the best on test{over}: this advice '
      f'{rules["advice"]["mean"]:.3f}, '
      + ', '.join(
          f'“always {words.noun(arm)}” {rules[arm]["mean"]:.3f}'
          for arm in grids.RULES
      )
      + '.'
  )


def _more(found: Mapping[str, Any], size: Mapping[str, Any]) -> Iterator[str]:
  curve = found['curves'].get(size['advised'], {})
  law = curve.get('power_law')
  if law is None:
    return
  if not law['fits']:
    yield (
        'What more images would bring is not said: the scores of smaller '
        'numbers lie on no power law.'
    )
    return
  low, high = law['interval']
  yield (
      f'With twice as many images, expect {law["gain"]:+.3f} ({low:+.3f} to '
      f'{high:+.3f}), by the power law through {len(curve["points"])} numbers '
      'of images.'
  )


def _fewer(found: Mapping[str, Any]) -> Iterator[str]:
  smaller = found['sizes'][1:]
  if smaller:
    yield 'With fewer images: ' + '; '.join(
        f'{size["train_images"]:,}, {words.noun(size["advised"])} '
        f'({size["arms"][size["advised"]]["test"]["value"]:.3f})'
        for size in smaller
    ) + '.'
