"""What goes with an advice: elsewhere, truncation, and what is not known."""

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from medxfer.study.advice import words


def shifted(size: Mapping[str, Any]) -> Iterator[str]:
  """Yields whether the advised is worse on test than chance explains."""
  mine = size['arms'][size['advised']]
  # Advices of older versions have no interval of validation.
  on_val, on_test = mine.get('validation_interval'), mine['test']['interval']
  if on_val and on_test and on_val[0] > on_test[1]:
    yield (
        f'Validation promises {mine["validation"]:.3f} ({on_val[0]:.3f} to '
        f'{on_val[1]:.3f}) and test gives {mine["test"]["value"]:.3f}, which '
        'chance does not explain: the test images are of another kind (another '
        'source or time), or the validation images are too like those that '
        'train, or too few for so many tries. Find out which before you trust '
        'the choice.'
    )


def elsewhere(there: Mapping[str, Any] | None) -> Iterator[str]:
  """Yields whether the advice holds on images from elsewhere."""
  if not there:
    return
  arms, advised = there['arms'], there['advised']
  yield (
      f'On {there["n"]:,} images from elsewhere ({there["name"]}), '
      f'{words.noun(advised)} reaches a macro F1 of '
      f'{words.estimate(arms[advised]["f1_macro"])} (AUROC '
      f'{words.estimate(arms[advised]["auroc_macro"])}).'
  )
  better = [
      f'{words.noun(arm)} ({words.difference(one["to_advised"])})'
      for arm, one in arms.items()
      if one['to_advised'] and (one['to_advised']['interval'] or [0])[0] > 0
  ]
  yield (
      f'Clearly better there: {", ".join(better)}; the advice does not hold '
      'there.'
      if better
      else 'No other strategy that was scored there is clearly better.'
  )


def truncation(found: Mapping[str, Any] | None) -> Iterator[str]:
  """Yields how far the pretrained network could be cut."""
  if not found:
    return
  best, cut = (found['layers'][found[key]] for key in ('best', 'cut'))
  score = cut['test']['f1_macro']
  if found['cut'] == list(found['layers'])[-1]:
    yield (
        'As it is, ImageNet’s network should not be cut: a linear probe reads '
        f'most from {found["best"]} (macro F1 {score:.3f}).'
    )
    return
  most = (
      'the most of all layers'
      if best is cut
      else f'the best layer ({found["best"]}) {best["test"]["f1_macro"]:.3f}'
  )
  yield (
      'As it is, ImageNet’s network could be cut after '
      f'{found["cut"]}: a linear probe there, chosen by validation, reaches a '
      f'macro F1 of {score:.3f}, {most}, at {100 * cut["operations"]:.0f} % of '
      'the operations of all convolutions.'
  )


def planted(size: Mapping[str, Any]) -> Iterator[str]:
  """Yields how far each strategy falls for a planted mark."""
  found = {
      arm: one['planted']
      for arm, one in size['arms'].items()
      if one.get('planted')
  }
  if not found:
    return
  first = next(iter(found.values()))
  yield (
      f'A faint mark in the corner, which class {first["class"]} had in '
      f'training, makes this part of the {first["n"]:,} test images of other '
      'classes be taken for it (in brackets without the mark): '
      + ', '.join(
          f'{words.noun(arm)} {100 * one["after"]:.0f} % '
          f'({100 * one["before"]:.0f} %)'
          for arm, one in found.items()
      )
      + '.'
  )


def untested(
    found: Mapping[str, Any], size: Mapping[str, Any]
) -> Iterator[str]:
  """Yields what the study does not say."""
  arms = size['arms']
  edge = [
      words.noun(arm)
      for arm, one in arms.items()
      if not one['dropped']
      and len(one['tried']) > 1
      and one['rate'] in (min(one['tried']), max(one['tried']))
  ]
  single = [
      words.noun(arm)
      for arm, one in arms.items()
      if not one['dropped'] and len(one['tried']) < len(found['rates'])
  ]
  once = [
      words.noun(arm)
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
    yield (
        'Not tested on images from elsewhere (--config.study.elsewhere=DIR).'
    )
