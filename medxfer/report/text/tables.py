"""Tables as data, and the F1 tables of chapter 7 with ours in them."""

from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses

from medxfer.report.read import estimates
from medxfer.report.read import recipes
from medxfer.report.read import settings as settings_lib
from medxfer.report.read import thesis
from medxfer.report.read import titles


@dataclasses.dataclass(frozen=True)
class Cell:
  """The content of one cell of a table.

  Attributes:
    text: what is read.
    under: smaller lines below it.
    values: name -> what a program reads; '' is the main one, which sorts.
    best: whether it is of the network that validation images chose.
  """

  text: str
  under: tuple[str, ...] = ()
  values: Mapping[str, float | int | str] = dataclasses.field(
      default_factory=dict
  )
  best: bool = False


@dataclasses.dataclass(frozen=True)
class Table:
  """A table that Markdown, CSV, LaTeX and HTML can set.

  Attributes:
    name: stem of its files.
    title: one line.
    groups: (heading, number of columns) above the header, or ().
    header: a heading a column.
    rows: the first cell of each is its heading.
    notes: what a reader must know, a sentence each.
  """

  name: str
  title: str
  groups: tuple[tuple[str, int], ...]
  header: tuple[str, ...]
  rows: tuple[tuple[Cell, ...], ...]
  notes: tuple[str, ...] = ()

  def is_numeric(self, column: int) -> bool:
    """Whether a column holds numbers, which align right."""
    return any(
        isinstance(row[column].values.get(''), (int, float))
        for row in self.rows
    )


def words(text: str) -> Cell:
  """Returns a cell that holds no number, such as the first of a row."""
  return Cell(text, values={'': text})


def measured(
    value: float | None, interval: list[float] | None, *, signed: bool = False
) -> Cell:
  """Returns a cell with the value of one run and its interval, if any."""
  if value is None:
    return figure(None)
  low, high = interval or (None, None)
  return spread(estimates.Estimate(value, low, high, None, 1), signed=signed)


def figure(
    value: float | None, digits: int = 3, text: str | None = None
) -> Cell:
  """Returns a cell with a bare number; '–' for None."""
  if value is None:
    return Cell(estimates.NOTHING)
  return Cell(
      estimates.number(value, digits) if text is None else text,
      values={'': value},
  )


def spread(
    estimate: estimates.Estimate | None, *, signed: bool = False
) -> Cell:
  """Returns a cell with an estimate; '–' for None."""
  if estimate is None:
    return Cell(estimates.NOTHING)
  under = ()
  if estimate.low is not None and estimate.sd is not None:
    under = (f'SD {estimates.number(estimate.sd)} over {estimate.seeds} seeds',)
  return Cell(estimate.text(signed=signed), under, _values(estimate))


def f1_table(
    setting: settings_lib.Setting,
    name: str,
    best: settings_lib.Column | None = None,
    notes: Iterable[str] = (),
) -> Table:
  """Arranges a setting as table 7.1 or 7.2.

  Args:
    setting: with at least one column.
    name: stem of the files.
    best: the column that validation images chose, or None.
    notes: how they chose, or why they could not.

  Returns:
    One row per class and one per average, one column per arm: our F1 score with
    its interval (one seed) or standard deviation (several), below it what the
    thesis printed and the difference.
  """
  rows = [
      (label, ('f1_per_class', label)) for label in setting.dataset.class_names
  ]
  rows += [(thesis.MICRO, ('f1_micro',)), (thesis.MACRO, ('f1_macro',))]
  printed = thesis.table(setting.dataset.name)
  number = f'Table {printed.number}: ' if printed else ''
  return Table(
      name=name,
      title=f'{number}F1 scores on {_on(setting)}',
      groups=_groups(setting.columns),
      header=('', *(column.title for column in setting.columns)),
      rows=tuple(
          (words(label), *_row(setting.columns, label, keys, best))
          for label, keys in rows
      ),
      notes=(*_notes(setting), *notes),
  )


def _on(setting: settings_lib.Setting) -> str:
  return f'{titles.dataset_title(setting.dataset)}, {setting.title}'


def _groups(
    columns: Iterable[settings_lib.Column],
) -> tuple[tuple[str, int], ...]:
  groups = [['', 1]]
  for column in columns:
    if column.group == groups[-1][0]:
      groups[-1][1] += 1
    else:
      groups.append([column.group, 1])
  return tuple((title, span) for title, span in groups)


def _row(
    columns: tuple[settings_lib.Column, ...],
    label: str,
    keys: tuple[str, ...],
    best: settings_lib.Column | None,
) -> Iterable[Cell]:
  for column in columns:
    estimate = estimates.estimate(column, *keys)
    cell = spread(estimate)
    values, under = dict(cell.values), cell.under
    if column.published is not None and estimate is not None:
      printed = column.published[label]
      # As printed: the thesis knows two digits.
      difference = round(estimate.value, 2) - printed
      values.update(thesis=printed, difference=round(difference, 2))
      under += (
          f'thesis {estimates.number(printed, 2)}, '
          f'{estimates.number(difference, 2, signed=True)}',
      )
    yield Cell(
        cell.text,
        (*under, *_few(column, label)),
        values,
        best=column is best and estimate is not None,
    )


def _few(column: settings_lib.Column, label: str) -> Iterable[str]:
  """Yields a warning for a score that rests on few images."""
  if label in column.few:
    yield images(column.few[label])
  elif label == thesis.MACRO and column.few:
    smallest = min(column.few, key=column.few.__getitem__)
    yield f'{smallest}: {images(column.few[smallest])}'


def images(count: int) -> str:
  """Returns a number of test images that is too small, in words."""
  return f'only {count} test {"image" if count == 1 else "images"}'


def _values(estimate: estimates.Estimate) -> dict[str, float | int]:
  known = {
      '': estimate.value,
      'low': estimate.low,
      'high': estimate.high,
      'sd': estimate.sd,
  }
  values = {key: value for key, value in known.items() if value is not None}
  if estimate.seeds > 1:
    values['seeds'] = estimate.seeds
  return values


def _notes(setting: settings_lib.Setting) -> Iterable[str]:
  """Yields how the numbers were made, and what is not alike."""
  yield from uncertainty(setting)
  published = [c for c in setting.columns if c.published is not None]
  if published:
    yield (
        'Below each score: what the thesis printed, and ours minus its, '
        'both to two digits.'
    )
  networks = [c for c in published if not c.first.is_baseline]
  if networks:
    did = thesis.recipe(networks[0].first.spec)
    other = [
        f'{key} {did[key]} (the thesis: {value})'
        for key, value in thesis.RECIPE.items()
        if did[key] != value
    ]
    if other:
      yield f'The networks differ from the thesis in: {"; ".join(other)}.'
  for column in setting.columns:
    size = column.first.spec.data.image_size
    if column.first.is_baseline and setting.networks:
      if size != setting.image_size:
        yield f'{column.title}: images of {size[0]}×{size[1]} pixels.'
  yield from _unlike(setting.networks)


def uncertainty(setting: settings_lib.Setting) -> Iterable[str]:
  """Yields a sentence on intervals, one on repeats, as they apply."""
  single = [c for c in setting.columns if len(c.runs) == 1]
  if single:
    test = single[0].first.summary['test']
    yield (
        f'{test["n"]:,} test images. In brackets: '
        f'{100 * test["level"]:g} % intervals, drawn by '
        f'{test.get("resampled_by", "image")}.'
    )
  repeated = sorted({len(c.runs) for c in setting.columns} - {1})
  if repeated:
    shared = all(
        c.first.spec.data.split_seed >= 0 for c in setting.columns if c.runs[1:]
    )
    split = (
        'on one split'
        if shared
        else 'each with its own split where the split is drawn'
    )
    yield (
        f'Means of {" or ".join(map(str, repeated))} seeds, {split}; their '
        '95 % intervals hold both the choice of the test images and the spread '
        'over the seeds.'
    )
  if any(column.first.is_baseline for column in setting.columns):
    yield 'Trees also train on the validation images; networks do not.'


def _unlike(networks: tuple[settings_lib.Column, ...]) -> Iterable[str]:
  """Yields the keys in which a network's recipe is not the first one's."""
  for column in networks[1:]:
    keys = recipes.unlike(networks[0].first.identity, column.first.identity)
    if keys:
      mine, other = (
          recipes.words(c.first.spec, keys) for c in (column, networks[0])
      )
      yield f'{column.title}: {mine} ({networks[0].title}: {other}).'
