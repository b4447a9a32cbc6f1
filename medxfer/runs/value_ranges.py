"""The value range of deep grey images: found, recorded, and used again."""

from collections.abc import Callable
from collections.abc import Sequence
import pathlib
import sys

from medxfer import cache
from medxfer import console
from medxfer import errors
from medxfer import spec as specs
from medxfer import spec_rules
from medxfer.data import bit_depth
from medxfer.data import bit_depth_survey
from medxfer.data import deep_grey
from medxfer.data import examples as examples_lib
from medxfer.runs import workdir

RECORD = 'value_range'  # A key of inputs.json.


def of_run(
    spec: specs.RunSpec,
    examples: examples_lib.Examples,
    contents: Sequence[bytes | None],
    path: pathlib.Path | None = None,
) -> deep_grey.Range | None:
  """Returns the range of a run's deep grey images, and says it.

  Args:
    spec: of the run.
    examples: its images.
    contents: digests of their files.
    path: its workdir, whose record counts if it has begun; None to find it.

  Returns:
    None for a run of an older version, which had none; `deep_grey.UNSEEN` where
    no image is deep.

  Raises:
    DataError: a file is being changed, or the record is damaged.
  """
  scale = None
  if path is not None and workdir.Workdir(path).fingerprints() is not None:
    scale = of_workdir(path, spec)
    if scale is None:
      return None
  return of_images(spec, examples, contents, scale, 'as this run began')


def of_images(
    spec: specs.RunSpec,
    examples: examples_lib.Examples,
    contents: Sequence[bytes | None],
    recorded: deep_grey.Range | None,
    why: str,
) -> deep_grey.Range:
  """Returns the range of deep grey images, and says it.

  Args:
    spec: of the run.
    examples: the images.
    contents: digests of their files.
    recorded: the range that the run has recorded, if it has; where that is
      None or `deep_grey.UNSEEN`, the images tell their own.
    why: how messages call a recorded range.
  """
  scale = recorded
  found = bit_depth_survey.read(
      examples, contents, cache.folder(spec.cache_dir)
  )
  given = spec_rules.value_range(spec.data.value_range)
  if given:
    scale, why = (
        deep_grey.Range(*given, overrules=True),
        'as data.value_range says',
    )
  elif scale and scale is not deep_grey.UNSEEN:
    pass
  elif not len(found):
    scale, why = deep_grey.UNSEEN, ''
  else:
    scale = bit_depth.decide(found)
    why = bit_depth.found_in(found, scale)
  for line in bit_depth.told(found, scale, why):
    console.line(line)
  return scale


def of_workdir(
    path: pathlib.Path, spec: specs.RunSpec
) -> deep_grey.Range | None:
  """Returns the range that a run has recorded.

  Args:
    path: its workdir.
    spec: of the run.

  Returns:
    None for a run of an older version; `deep_grey.UNSEEN` if it saw no deep
    image.

  Raises:
    DataError: the record is damaged.
  """
  given = spec_rules.value_range(spec.data.value_range)
  if given:
    return deep_grey.Range(*given, overrules=True)
  recorded = workdir.Workdir(path).fingerprints()
  if recorded is None or RECORD not in recorded:
    return None
  if recorded[RECORD] is None:
    return deep_grey.UNSEEN
  try:
    low, high = map(float, recorded[RECORD])
    if low < high:
      return deep_grey.Range(low, high)
  except (TypeError, ValueError):
    pass
  raise errors.DataError(
      f'{path / "inputs.json"}: {RECORD}={recorded[RECORD]!r} is no pair of '
      'numbers; restore the file'
  )


def record(scale: deep_grey.Range | None) -> dict[str, list[float] | None]:
  """Returns what inputs.json holds of a range; nothing for an older run."""
  if scale is None:
    return {}
  return {RECORD: None if scale is deep_grey.UNSEEN else list(scale[:2])}


def warner(
    scale: deep_grey.Range | None,
) -> Callable[[pathlib.Path, deep_grey.Grey], None]:
  """Returns a function that warns, on stderr, of images beside a run's range.

  Args:
    scale: of the run, as of `of_workdir`.
  """
  told = set()

  def warn(name: pathlib.Path, found: deep_grey.Grey) -> None:
    text = bit_depth.noticed(found, scale)
    if not text:
      return
    # Without a range all of them are alike: one line is enough.
    if scale is None or scale is deep_grey.UNSEEN:
      if told:
        return
      text += '; said once'
    told.add(name)
    print(f'warning: {name}: {text}', file=sys.stderr)

  return warn
