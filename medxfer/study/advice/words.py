"""What strategies and numbers are called in a sentence."""

from collections.abc import Mapping
from typing import Any

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


def estimate(test: Mapping[str, Any]) -> str:
  """Returns a score with its interval, without brackets."""
  if test['value'] is None:
    return 'that is undefined'
  text = f'{test["value"]:.3f}'
  if test['interval']:
    low, high = test['interval']
    text += f', {low:.3f} to {high:.3f}'
  return text


def difference(found: Mapping[str, Any]) -> str:
  """Returns a difference with its interval."""
  return f'{found["difference"]:+.3f}{_ends(found)}'


def regret(found: Mapping[str, Any]) -> str:
  """Returns a loss with its interval."""
  return f'{found["value"]:.3f}{_ends(found)}'


def _ends(found: Mapping[str, Any]) -> str:
  if not found['interval']:
    return ''
  low, high = found['interval']
  return f' ({low:+.3f} to {high:+.3f})'


def unclear(found: Mapping[str, Any]) -> str:
  """Returns ', not clear' of an interval that holds zero, else ''."""
  ends = found['interval']
  return ', not clear' if ends and ends[0] <= 0 <= ends[1] else ''


def times(factor: float) -> str:
  """Returns a factor."""
  return f'{factor:.0f} times' if factor >= 2 else f'{factor:.1f} times'


def count(number: int, what: str) -> str:
  """Returns a number of things."""
  return f'{number} {what}' if number == 1 else f'{number} {what}s'
