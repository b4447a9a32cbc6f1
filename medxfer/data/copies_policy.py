"""What becomes of copies, as `data.copies` decides:

* `group`: copies form one group, so that `grouped` keeps them in one subset and
  intervals count them as one. Copies of different classes are refused.
* `drop`: one image of each set stays: one that was published as test, else as
  val, else the first by name. Of a set with different classes none stays:
  nobody knows which is right.
* `keep`: nothing is done (and older runs did nothing).
"""

from collections.abc import Sequence
import dataclasses

import numpy as np

from medxfer import errors
from medxfer.data import copies as copies_lib
from medxfer.data import decoded as decoded_lib
from medxfer.data import examples as examples_lib

_NAMED = 3  # Pairs in a message.
_SIDES = ('test', 'val')  # Published ones whose images are dropped last.


def settle(
    decoded: decoded_lib.Decoded, copies: copies_lib.Copies, how: str
) -> tuple[decoded_lib.Decoded, copies_lib.Copies, list[str]]:
  """Does what `data.copies` says.

  Args:
    decoded: the images.
    copies: what `find` has found among them.
    how: 'group', 'drop' or 'keep'.

  Returns:
    The images, with merged groups or without those that were dropped (these
    are listed in `examples.skipped`); the copies among them; and lines that
    the user should read.

  Raises:
    DataError: all images are copies of one, or copies to be grouped have
      different labels.
  """
  examples, sets = decoded.examples, copies.rows()
  if how != 'keep' and len(sets) == 1 and len(sets[0]) == len(examples):
    raise errors.DataError(
        f'{examples.name}: all {len(examples):,} images are copies of one '
        f'({_names(examples, sets[0])}): nothing can be learned from them; '
        'add other images'
    )
  torn = [rows for rows in sets if len(set(examples.labels[rows])) > 1]
  notes = []
  if torn:
    said = _contradiction(examples, torn)
    if how == 'group':
      raise errors.DataError(
          f'{said}; correct the labels, or leave all copies of such a picture '
          'out with --config.data.copies=drop, or keep them with '
          '--config.data.copies=keep'
      )
    notes.append(said)
  if how == 'group':
    return grouped(decoded, sets), copies, notes
  if how == 'drop':
    reasons = _reasons(examples, sets)
    if len(reasons) == len(examples):
      raise errors.DataError(f'{said}; without them no image is left')
    dropped = [
        i for i, name in enumerate(examples.image_ids) if name in reasons
    ]
    if dropped:
      notes.append(f'{len(dropped):,} images dropped (data.copies=drop)')
    return decoded.without(reasons), copies.without(dropped), notes
  return decoded, copies, notes


def _contradiction(
    examples: examples_lib.Examples, torn: Sequence[np.ndarray]
) -> str:
  pairs = []
  for rows in torn[:_NAMED]:
    other = rows[examples.labels[rows] != examples.labels[rows[0]]][0]
    pairs.append(
        ' and '.join(
            f'{examples.image_ids[i]} '
            f'({examples.class_names[examples.labels[i]]})'
            for i in (rows[0], other)
        )
    )
  more = ', ...' if len(torn) > _NAMED else ''
  return (
      f'{examples.name}: {len(torn):,} pictures have copies with '
      f'different labels: {", ".join(pairs)}{more}'
  )


def grouped(
    decoded: decoded_lib.Decoded, sets: Sequence[np.ndarray]
) -> decoded_lib.Decoded:
  """Merges the groups that share a picture; the first one's name stays."""
  examples = decoded.examples
  parent: dict[str, str] = {}

  def root(name: str) -> str:
    while parent.get(name, name) != name:
      name = parent[name]
    return name

  order = {name: i for i, name in reversed(list(enumerate(examples.groups)))}
  for rows in sets:
    roots = sorted(
        {root(examples.groups[i]) for i in rows}, key=order.__getitem__
    )
    parent.update((name, roots[0]) for name in roots[1:])
  groups = tuple(root(name) for name in examples.groups)
  return dataclasses.replace(
      decoded, examples=dataclasses.replace(examples, groups=groups)
  )


def _reasons(
    examples: examples_lib.Examples, sets: Sequence[np.ndarray]
) -> dict[str, str]:
  """Returns which images are dropped, and why."""
  published = examples.columns.get('published', ('',) * len(examples))
  reasons = {}
  for rows in sets:
    if len(set(examples.labels[rows])) > 1:
      for i in rows:
        reasons[examples.image_ids[i]] = (
            f'copies with different labels: {_names(examples, rows)}'
        )
      continue
    stays = min(
        rows,
        key=lambda i: (
            _SIDES.index(published[i])
            if published[i] in _SIDES
            else len(_SIDES),
            examples.image_ids[i],
        ),
    )
    for i in rows:
      if i != stays:
        reasons[examples.image_ids[i]] = (
            f'a copy of {examples.image_ids[stays]}'
        )
  return reasons


def _names(examples: examples_lib.Examples, rows: np.ndarray) -> str:
  more = ', ...' if len(rows) > _NAMED else ''
  return ', '.join(examples.image_ids[i] for i in rows[:_NAMED]) + more
