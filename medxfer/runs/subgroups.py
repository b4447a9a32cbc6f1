"""The scores of a run on subgroups of its test images."""

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from medxfer import errors
from medxfer import spec as specs
from medxfer.data import examples as examples_lib
from medxfer.data import registry
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import subgroups

KEY = 'subgroups'  # In summary.json.
AUTO, NONE = 'auto', 'none'
_PUBLISHED = 'published'  # A column of subsets, not of images.
_TOLD = 3  # Gaps, or small subgroups, that are named.


def columns(
    spec: specs.RunSpec, examples: examples_lib.Examples
) -> tuple[str, ...]:
  """Returns the columns by which results are divided.

  Args:
    spec: of the run.
    examples: the table.

  Raises:
    UsageError: `evaluation.subgroups` names one that the table lacks.
  """
  there = tuple(name for name in examples.columns if name != _PUBLISHED)
  asked = spec.evaluation.subgroups
  if asked == NONE:
    return ()
  if asked == AUTO:
    known = registry.get(spec.data.name)
    if known.user_folder:
      return there
    named = (*known.subgroups, known.source)
    return tuple(name for name in named if name in there)
  names = tuple(name.strip() for name in asked.split(','))
  for name in names:
    if name not in there:
      raise errors.UsageError(
          f'evaluation.subgroups={asked!r}: the table has no column {name!r}; '
          f'it has {", ".join(there) or "none"}; give some of them, {AUTO} or '
          f'{NONE}'
      )
  return names


def of_images(
    examples: examples_lib.Examples,
    names: tuple[str, ...],
    scored: predictions_lib.Predictions,
) -> dict[str, Any] | None:
  """Returns `subgroups.measures` of scored images; None without columns.

  Args:
    examples: the table, with at least these images.
    names: of the columns.
    scored: the predictions.
  """
  if not names:
    return None
  rows = {name: i for i, name in enumerate(examples.image_ids)}
  return subgroups.measures(
      scored,
      {
          name: [examples.columns[name][rows[i]] for i in scored.image_ids]
          for name in names
      },
  )


def sentences(found: Mapping[str, Any] | None) -> Iterator[str]:
  """Yields what differs clearly, the largest gap first, and what is unknown.

  Args:
    found: what `of_images` returns.
  """
  if not found:
    return
  rows = [
      (name, one) for name, each in found['columns'].items() for one in each
  ]
  told = [(name, one) for name, one in rows if one['gap']]
  clear = [(name, one) for name, one in told if _is_clear(one['gap'])]
  clear.sort(key=lambda pair: -abs(pair[1]['gap']['value']))
  yield from (_gap(name, one) for name, one in clear[:_TOLD])
  if len(clear) > _TOLD:
    yield f'{len(clear) - _TOLD} more subgroups differ clearly in accuracy.'
  if told and not clear:
    yield (
        f'By {", ".join(found["columns"])}, no subgroup differs clearly from '
        'all other images in accuracy.'
    )
  few = [
      f'{name} {one["subgroup"]} ({one["n"]:,})'
      for name, one in rows
      if not one['gap']
  ]
  if few:
    more = f' and {len(few) - _TOLD} more' if len(few) > _TOLD else ''
    yield (
        'Too few images, or too few others, to say anything of: '
        f'{", ".join(few[:_TOLD])}{more}.'
    )
  for name, why in found['left_out'].items():
    yield f'Nothing is said by {name}: it has {why}.'


def _is_clear(gap: Mapping[str, Any]) -> bool:
  ends = gap['interval']
  return ends is not None and (ends[0] > 0 or ends[1] < 0)


def _gap(name: str, one: Mapping[str, Any]) -> str:
  (low, high), value = one['gap']['interval'], one['gap']['value']
  word = 'higher' if value > 0 else 'lower'
  ends = sorted((abs(low), abs(high)))
  return (
      f'{name} {one["subgroup"]} ({one["n"]:,} images): accuracy '
      f'{one["accuracy"]:.3f}, {abs(value):.3f} {word} than on all other '
      f'images ({ends[0]:.3f} to {ends[1]:.3f}).'
  )
