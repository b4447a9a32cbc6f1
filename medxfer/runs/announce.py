"""Prints what is known of the images of a run before it uses them."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from typing import TYPE_CHECKING

from medxfer import baselines
from medxfer import console
from medxfer import spec as specs
from medxfer.data import copies
from medxfer.data import splits
from medxfer.data import unused_files
from medxfer.evaluation import positive_class as positives

if TYPE_CHECKING:
  from medxfer.runs import inputs as inputs_lib

_OF_COPIES = {
    'group': 'each set is one group',
    'keep': 'left as they are',
    'drop': 'not dropped',
}


def images(
    spec: specs.RunSpec,
    inputs: inputs_lib.Inputs,
    positive: positives.Positive | None,
    settled: Iterable[str],
) -> None:
  """Says what is used, what is not, what leaks, and what is positive.

  Args:
    spec: of the run.
    inputs: what it reads.
    positive: the positive class of two.
    settled: what was done with copies.
  """
  for line in _lines(spec, inputs, positive, settled):
    console.line(line)


def _lines(
    spec: specs.RunSpec,
    inputs: inputs_lib.Inputs,
    positive: positives.Positive | None,
    settled: Iterable[str],
) -> Iterator[str]:
  examples, split = inputs.examples, inputs.split
  if (
      spec.training.batch_size > len(split.train)
      and spec.model.name not in baselines.NAMES
  ):
    yield (
        f'note: training.batch_size={spec.training.batch_size} is more than '
        f'the {len(split.train):,} training images: an epoch is one step on '
        'all of them'
    )
  subsets = ', '.join(
      f'{subset} {len(split.rows(subset)):,}'
      for subset in splits.SUBSETS
      if len(split.rows(subset))
  )
  if len(split.unused):
    keys = [k for k in ('train_images', 'limit') if getattr(spec.data, k)]
    why = f'data.{keys[0]}' if keys else 'groups of the test source'
    subsets += f'; {len(split.unused):,} unused ({why})'
  yield (
      f'data: {len(examples):,} images of {len(set(examples.groups)):,} '
      f'groups, {len(examples.skipped)} skipped; {inputs.decision.kind} '
      f'split: {subsets}'
  )
  yield from unused_files.all_said(examples)
  leak = inputs.leak
  if leak.share is None:
    yield (
        'leak: unknown, no groups are given: the split cannot keep the '
        'images of a patient together (--config.data.groups=FILE)'
    )
  else:
    yield (
        f'leak: {leak.images} test images ({leak.share:.1%}) belong to '
        f'{leak.groups} groups that are also in train'
    )
  for line in (*settled, *_of_copies(inputs, spec.data)):
    yield f'copies: {line}'
  caution = copies.caution(examples.paths)
  if caution:
    yield f'copies: {caution}'
  if positive:
    yield (
        f'positive class: {positive.name} ({positive.why}; '
        'evaluation.positive=CLASS names another)'
    )


def _of_copies(
    inputs: inputs_lib.Inputs, spec: specs.DataSpec
) -> Iterator[str]:
  """Yields lines about copies, and how to avoid leakage by them."""
  leak, names = inputs.leak, sum(map(len, inputs.copies.rows()))
  if not names:
    yield 'none' if spec.copies != 'drop' else 'none left'
    return
  yield (
      f'{names:,} images in sets of copies, {leak.sets_of_copies:,} sets; '
      f'{_OF_COPIES[spec.copies]} (data.copies={spec.copies})'
  )
  ways = ['--config.data.copies=drop keeps one of each']
  kind = inputs.decision.kind
  if inputs.examples.groups_known and kind == 'by_image':
    ways.insert(0, '--config.data.split=grouped keeps copies in one subset')
  if spec.copies == 'keep' and kind == 'grouped':
    ways.insert(0, '--config.data.copies=group keeps copies in one subset')
  way = f'; {", ".join(ways)}' if leak.copies else ''
  yield (
      f'{leak.copies:,} test images ({leak.copies_share:.1%}) are copies of '
      f'training images, {leak.duplicates:,} of them bit for bit as the '
      f'network sees them{way}'
  )
