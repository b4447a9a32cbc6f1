"""The value range of deep grey images: found, recorded, and used again."""

from collections.abc import Callable
from collections.abc import Sequence
import pathlib
import sys

from medxfer import cache
from medxfer import errors
from medxfer import files
from medxfer import say
from medxfer import spec as specs
from medxfer import spec_rules
from medxfer.data import depth
from medxfer.data import depth_survey
from medxfer.data import examples as examples_lib
from medxfer.data import grey
from medxfer.runs import workdir

RECORD = 'value_range'  # A key of inputs.json.


def of_run(
    spec: specs.RunSpec,
    examples: examples_lib.Examples,
    contents: Sequence[bytes | None],
    path: pathlib.Path | None = None,
) -> grey.Range | None:
  """Returns the range of a run's deep grey images, and says it.

  Args:
    spec: of the run.
    examples: its images.
    contents: digests of their files.
    path: its workdir, whose record counts if it has begun; None to find it.

  Returns:
    None for a run of an older version, which had none; `grey.UNSEEN` where no
    image is deep.

  Raises:
    DataError: a file is being changed, or the record is damaged.
  """
  begun = path is not None and (path / workdir.INPUTS).exists()
  scale = of_workdir(path, spec) if begun else None
  if begun and scale is None:
    return None
  found = depth_survey.read(
      examples, contents, cache.folder(spec.cache_dir))
  given = spec_rules.value_range(spec.data.value_range)
  if given:
    scale, why = grey.Range(*given, overrules=True), 'as data.value_range says'
  elif scale and scale is not grey.UNSEEN:
    why = 'as this run began'
  elif not len(found):
    scale, why = grey.UNSEEN, ''
  else:
    scale = depth.decide(found)
    why = depth.found_in(found, scale)
  for line in depth.told(found, scale, why):
    say.line(line)
  return scale


def of_workdir(path: pathlib.Path, spec: specs.RunSpec) -> grey.Range | None:
  """Returns the range that a run has recorded.

  Args:
    path: its workdir.
    spec: of the run.

  Returns:
    None for a run of an older version; `grey.UNSEEN` if it saw no deep image.

  Raises:
    DataError: the record is damaged.
  """
  given = spec_rules.value_range(spec.data.value_range)
  if given:
    return grey.Range(*given, overrules=True)
  if not (path / workdir.INPUTS).exists():
    return None
  recorded = files.read_json(path / workdir.INPUTS)
  if RECORD not in recorded:
    return None
  if recorded[RECORD] is None:
    return grey.UNSEEN
  try:
    low, high = map(float, recorded[RECORD])
    if low < high:
      return grey.Range(low, high)
  except (TypeError, ValueError):
    pass
  raise errors.DataError(
      f'{path / workdir.INPUTS}: {RECORD}={recorded[RECORD]!r} is no pair of '
      'numbers; restore the file')


def record(scale: grey.Range | None) -> dict[str, list[float] | None]:
  """Returns what inputs.json holds of a range; nothing for an older run."""
  if scale is None:
    return {}
  return {RECORD: None if scale is grey.UNSEEN else list(scale[:2])}


def warner(
    scale: grey.Range | None
) -> Callable[[pathlib.Path, grey.Grey], None]:
  """Returns a function that warns, on stderr, of images beside a run's range.

  Args:
    scale: of the run, as of `of_workdir`.
  """
  told = set()

  def warn(name: pathlib.Path, found: grey.Grey) -> None:
    text = depth.noticed(found, scale)
    if not text:
      return
    # Without a range all of them are alike: one line is enough.
    if scale is None or scale is grey.UNSEEN:
      if told:
        return
      text += '; said once'
    told.add(name)
    print(f'warning: {name}: {text}', file=sys.stderr)

  return warn
