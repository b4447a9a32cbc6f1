"""The advice in words; free of JAX, so that a page takes seconds."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import TYPE_CHECKING

from medxfer.study.advice import grid as grids

if TYPE_CHECKING:
  from medxfer.study.advice import choice as choices

# What each strategy does, as an instruction, and as a noun.
_DO = {
    'head': ('train the head alone', 'the head alone'),
    'last_block': ('fine-tune the last block', 'the last block'),
    'first_block': ('fine-tune the first block', 'the first block'),
    'first_last': (
        'fine-tune the first and the last block',
        'the first and the last block',
    ),
    **{
        f'block{i}': (f'fine-tune block {i}', f'block {i}') for i in range(1, 6)
    },
    'lp_ft': ('train the head, then everything', 'the head, then everything'),
    'gradual': (
        'train the head, then block by block from above',
        'block by block from above',
    ),
    'layer_decay': (
        'fine-tune everything, lower blocks at lower rates',
        'everything, lower blocks at lower rates',
    ),
    'auto_rgn': (
        'fine-tune everything, each layer at a rate by its relative gradient',
        'everything, rates by relative gradient',
    ),
    'all': ('fine-tune everything', 'everything'),
    'random': ('train everything from random weights', 'random weights'),
}


def instruction(arm: str) -> str:
  """Returns what to do, in words."""
  return _DO.get(arm, (arm, arm))[0]


def noun(arm: str) -> str:
  """Returns what a strategy trains, in words."""
  return _DO.get(arm, (arm, arm))[1]


def so_far(grid: grids.Grid, choice: choices.Choice) -> str:
  """Returns in one line what is known for all training images so far."""
  advised, control = choice.advised, choice.standings.get(grids.CONTROL)
  tested = len(choice.candidates)
  parts = [
      f'so far, with {grid.images.train:,} training images: '
      f'{instruction(advised.arm)} (validation macro F1 {advised.on_val:.3f}, '
      f'{tested} {"strategy" if tested == 1 else "strategies"} tried)'
  ]
  if control:
    parts.append(f'random weights reach {control.on_val:.3f}')
  return '; '.join(parts)


def sentences(found: Mapping[str, Any]) -> list[str]:
  """Returns the advice, a sentence each, for all training images.

  Args:
    found: see `findings.of`.
  """
  size = found['sizes'][0]
  return [
      *_advice(size),
      *_pretraining(size),
      *_runner_up(size),
      *_certainty(size),
      *_price(size),
      *_rules(found['rules']),
      *_more(found, size),
      *_fewer(found),
      *_untested(found, size),
  ]


def _advice(size: Mapping[str, Any]) -> Iterator[str]:
  arm = size['arms'][size['advised']]
  seeds = len(arm['seeds'])
  yield (
      f'With your {size["train_images"]:,} training images: '
      f'{instruction(size["advised"])} (test macro F1 '
      f'{_estimate(arm["test"])}, {_count(seeds, "seed")}, {arm["rate"]:g} '
      'times the learning rate of the recipe).'
  )
  others = [a for a in size['level'] if a != size['advised']]
  if len(size['shares']) > 1 and len(size['level']) == len(size['shares']):
    yield (
        'The validation images cannot tell the strategies apart; this is the '
        f'cheapest of those within {grids.MARGIN:g} of the best.'
    )
  elif size['advised'] != size['leader']:
    yield (
        f'The validation images prefer {noun(size["leader"])} by less than '
        f'{grids.MARGIN:g}, which is not clear; this is cheaper.'
    )
  elif others:
    yield (
        'Not clearly worse on validation: '
        f'{", ".join(noun(other) for other in others)}.'
    )


def _pretraining(size: Mapping[str, Any]) -> Iterator[str]:
  if size['pretraining']:
    gain = size['pretraining']
    yield (
        f'ImageNet’s weights bring {_difference(gain)} of macro F1 over random '
        f'weights{_unclear(gain)}.'
    )


def _runner_up(size: Mapping[str, Any]) -> Iterator[str]:
  if not size['runner_up']:
    return
  mine, other = (
      size['arms'][arm] for arm in (size['advised'], size['runner_up'])
  )
  times = other['operations'] / mine['operations']
  yield (
      f'Next by validation is {noun(size["runner_up"])}: '
      f'{_difference(other["to_advised"])} on test'
      f'{_unclear(other["to_advised"])}, at {_times(times)} the operations of '
      f'a training ({other["minutes_per_epoch"]:.1f} minutes per epoch, here '
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
      else f'On test {noun(size["best_on_test"])} was best, which nobody can '
      f'know before: the advice loses {_regret(mine)} to it.'
  )
  if worst != size['advised']:
    lost = _regret(arms[worst]['regret'])
    yield f'The worst choice, {noun(worst)}, loses {lost}.'


def _rules(rules: Mapping[str, Any]) -> Iterator[str]:
  if len(rules) < 2:
    return
  count = len(rules['advice']['by_size'])
  yield (
      f'Mean loss to the best on test over {_count(count, "number")} of '
      f'training images: this advice {rules["advice"]["mean"]:.3f}, '
      + ', '.join(
          f'“always {noun(arm)}” {rules[arm]["mean"]:.3f}'
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
        f'{size["train_images"]:,}, {noun(size["advised"])} '
        f'({size["arms"][size["advised"]]["test"]["value"]:.3f})'
        for size in smaller
    ) + '.'


def _untested(
    found: Mapping[str, Any], size: Mapping[str, Any]
) -> Iterator[str]:
  """Yields what the study does not say."""
  arms = size['arms']
  edge = [
      noun(arm)
      for arm, one in arms.items()
      if not one['dropped']
      and len(one['tried']) > 1
      and one['rate'] in (found['rates'][0], found['rates'][-1])
  ]
  single = [
      noun(arm)
      for arm, one in arms.items()
      if not one['dropped'] and len(one['tried']) < len(found['rates'])
  ]
  once = [
      noun(arm)
      for arm, one in arms.items()
      if not one['dropped'] and len(one['seeds']) < len(found['seeds'])
  ]
  if found['left']:
    yield f'Not trained for want of time: up to {len(found["left"])} runs.'
  if single:
    yield f'Not all learning rates were tried of: {", ".join(single)}.'
  if once:
    yield f'Fewer than {len(found["seeds"])} seeds: {", ".join(once)}.'
  if edge:
    yield (
        'Best at the lowest or highest learning rate that was tried, so that '
        f'a further one may be better: {", ".join(edge)}.'
    )
  if not found.get('elsewhere'):
    yield 'Not tested on images from elsewhere.'


def _estimate(test: Mapping[str, Any]) -> str:
  text = f'{test["value"]:.3f}'
  if test['interval']:
    low, high = test['interval']
    text += f', {low:.3f} to {high:.3f}'
  return text


def _difference(found: Mapping[str, Any]) -> str:
  text = f'{found["difference"]:+.3f}'
  if found['interval']:
    low, high = found['interval']
    text += f' ({low:+.3f} to {high:+.3f})'
  return text


def _regret(found: Mapping[str, Any]) -> str:
  text = f'{found["value"]:.3f}'
  if found['interval']:
    low, high = found['interval']
    text += f' ({low:+.3f} to {high:+.3f})'
  return text


def _unclear(found: Mapping[str, Any]) -> str:
  ends = found['interval']
  return ', not clear' if ends and ends[0] <= 0 <= ends[1] else ''


def _times(factor: float) -> str:
  return f'{factor:.0f} times' if factor >= 2 else f'{factor:.1f} times'


def _count(count: int, what: str) -> str:
  return f'{count} {what}' if count == 1 else f'{count} {what}s'
