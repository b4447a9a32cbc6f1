"""Signs of an unfinished or failed training in its numbers.

The report draws no conclusion from a run with such a note.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from medxfer import spec as specs
from medxfer.training import loop

Note = dict[str, str]

# Smaller gains of the monitored number over the last third of the epochs are
# taken for noise; a loss has to fall by this fraction of itself.
_GAIN = 0.01
# A training loss below this fraction of the validation loss is far below it.
_FAR = 0.2
_NAMES = {'accuracy': 'accuracy', 'f1_macro': 'macro F1', 'loss': 'loss'}


def of_network(
    history: Sequence[loop.Record],
    spec: specs.TrainingSpec,
    scores: Mapping[str, Any],
) -> list[Note]:
  """Returns what speaks against taking a network for trained.

  Args:
    history: its epochs, at least one.
    spec: how it was trained.
    scores: of its validation images, as `summary.split_summary` returns them.

  Returns:
    For each sign its `kind` and a `text`, one sentence. Kinds: `one_class`
    (every image is given the same class), `best_is_last` (the best epoch is
    the last), `rising` (the monitored number was still getting better),
    `overfitting` (the training loss of the best epoch is far below its
    validation loss).
  """
  return [
      *of_scores(scores, 'validation'),
      *_unfinished(history, spec),
      *_overfitting(history, spec),
  ]


def of_scores(scores: Mapping[str, Any], subset: str) -> list[Note]:
  """Returns a note if every image of a subset is given one class."""
  predicted = np.array(scores['confusion']).sum(axis=0)
  if np.count_nonzero(predicted) > 1 or len(scores['class_names']) < 2:
    return []
  name = scores['class_names'][int(predicted.argmax())]
  return [
      _note(
          'one_class',
          (
              f'all {scores["n"]:,} {subset} images are called {name!r}: the '
              'classifier has learnt nothing but one answer'
          ),
      )
  ]


def _unfinished(
    history: Sequence[loop.Record], spec: specs.TrainingSpec
) -> list[Note]:
  best, last = loop.best_epoch(history, spec), len(history)
  if best < last:
    return []
  more = f'more may score higher (--config.training.epochs={2 * last})'
  notes = [
      _note(
          'best_is_last',
          (
              f'the best of {last} epochs is the last: {more}'
              if last > 1
              else f'only one epoch was trained: {more}'
          ),
      )
  ]
  values = [record[f'val_{spec.monitor}'] for record in history]
  before = values[: -max(1, len(values) // 3)]
  if not before:
    return notes
  if spec.monitor == 'loss':
    gain, enough = min(before) - values[-1], _GAIN * abs(min(before))
  else:
    gain, enough = values[-1] - max(before), _GAIN
  if gain > enough:
    name = f'validation {_NAMES[spec.monitor]}'
    notes.append(
        _note(
            'rising',
            (
                f'{name} was still getting better in the last epochs, from '
                f'{(min if spec.monitor == "loss" else max)(before):.3f} to '
                f'{values[-1]:.3f}: {more}'
            ),
        )
    )
  return notes


def _overfitting(
    history: Sequence[loop.Record], spec: specs.TrainingSpec
) -> list[Note]:
  best = history[loop.best_epoch(history, spec) - 1]
  if best['train_loss'] >= _FAR * best['val_loss']:
    return []
  return [
      _note(
          'overfitting',
          (
              f'the training loss ({best["train_loss"]:.3f}) is far below the '
              f'validation loss ({best["val_loss"]:.3f}): the network fits the '
              'training images, not others like them; more augmentation, '
              'dropout or weight decay, fewer trained layers or more images '
              'may help'
          ),
      )
  ]


def _note(kind: str, text: str) -> Note:
  return {'kind': kind, 'text': text}
