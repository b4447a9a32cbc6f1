"""Protects what stands beside a number that must not be taken at its word."""

from collections.abc import Callable
import pathlib
from typing import Any

import pytest

from medxfer.report.page import contents
from medxfer.report.page import write
from medxfer.report.read import collect
from medxfer.report.read import settings as settings_lib
from medxfer.report.text import cautions
from medxfer.report.text import comparisons
from medxfer.report.text import positive_class
from medxfer.report.text import tables
from medxfer.report.text import verdicts
from tests.report import workdirs


def _settings(root: pathlib.Path) -> tuple:
  return settings_lib.arrange(collect.collect(root).runs)


def _per_class(names: tuple) -> dict:
  return {
      name: {
          'n': 5,
          'sensitivity': 0.5,
          'specificity': 0.75,
          'ppv': None,
          'npv': 1.0,
          'intervals': {
              'sensitivity': [0.4, 0.6],
              'specificity': [0.7, 0.8],
              'ppv': None,
              'npv': [0.9, 1.0],
          },
      }
      for name in names
  }


def test_few_test_images_are_said_beside_the_number(
    tmp_path: pathlib.Path,
) -> None:
  """Three images of each rare class: their F1 is chance."""
  workdirs.write(tmp_path / 'a', 'all', images=63)
  [setting] = _settings(tmp_path)
  table = tables.f1_table(setting, 't')
  rows = {row[0].text: row[1] for row in table.rows}
  assert rows['df'].under[-1] == 'only 3 test images'
  assert rows['macro avg'].under[-1].endswith(': only 3 test images')
  assert not any('only' in text for text in rows['nv'].under)
  said = verdicts.answers([setting])[-1].lines[0].numbers
  assert 'rests on classes with fewer than 10 test images (akiec 3' in said
  assert 'Fewer than 10 test images of a class (akiec 3' in ' '.join(
      cautions.sentences(setting)
  )


def test_ten_images_are_not_called_few(tmp_path: pathlib.Path) -> None:
  """210 images: ten of each rare class."""
  workdirs.write(tmp_path / 'a', 'all')
  [setting] = _settings(tmp_path)
  assert not setting.columns[0].few
  assert not list(cautions.sentences(setting))


def test_the_positive_class_is_named_with_its_reason(
    tmp_path: pathlib.Path,
) -> None:
  """Whatever its place among the names."""

  def change(summary: dict) -> None:
    summary['positive'] = {'class': 'NORMAL', 'why': 'somebody said so'}
    summary['threshold']['positive'] = 'NORMAL'

  workdirs.write(
      tmp_path / 'a',
      'imagenet',
      dataset='chest_xray',
      classes=workdirs.XRAY,
      change=change,
  )
  [setting] = _settings(tmp_path)
  notes = ' '.join(comparisons.measures(setting, 'm').notes)
  assert 'the probability of NORMAL' in notes
  assert 'Positive class: NORMAL (somebody said so).' in notes
  assert 'Positive class: NORMAL (somebody said so).' in list(
      cautions.sentences(setting)
  )


def test_an_old_run_has_the_positive_class_of_its_threshold(
    tmp_path: pathlib.Path,
) -> None:
  """As its numbers were computed."""
  workdirs.write(
      tmp_path / 'a', 'imagenet', dataset='chest_xray', classes=workdirs.XRAY
  )
  [run] = collect.collect(tmp_path).runs
  assert positive_class.of(run) == 'PNEUMONIA'


@pytest.mark.parametrize('names', [workdirs.XRAY, workdirs.HAM])
def test_predictions_are_told_by_class_for_any_number_of_classes(
    tmp_path: pathlib.Path, names: tuple
) -> None:
  """Sensitivity and predictive values, with intervals and small counts."""

  def change(summary: dict) -> None:
    summary['test']['per_class'] = _per_class(names)

  workdirs.write(
      tmp_path / 'a',
      'all',
      classes=names,
      images=63,
      dataset='folder',
      change=change,
  )
  [setting] = _settings(tmp_path)
  table = positive_class.table(setting, setting.columns[0], 'c')
  assert [row[0].text for row in table.rows] == list(names)
  row = dict(zip(table.header, table.rows[-1]))
  assert row['Sensitivity'].text == '0.500 (0.400–0.600)'
  assert (row['PPV'].text, row['NPV'].text) == ('–', '1.000 (0.900–1.000)')
  few = setting.columns[0].few
  assert all(
      ('only' in ' '.join(row[2].under)) == (row[0].text in few)
      for row in table.rows
  )
  made = contents.make(collect.collect(tmp_path))
  assert any(t.title.startswith('What the predictions') for t in made.tables())


def test_what_was_left_out_is_counted_with_reasons(
    tmp_path: pathlib.Path,
) -> None:
  """Nothing vanishes: not on the page either."""
  run = workdirs.write(
      tmp_path / 'a',
      'all',
      change=lambda summary: (
          summary.update(
              skipped=1,
              several_pages=2,
              notes=[
                  'the folders train/ and test/ are the subsets',
                  'centre0/ is a source',
              ],
          )
      ),
  )
  (run / 'skipped.csv').write_text(
      'image_id,reason,what\nISIC_1,cut off,skipped\n'
      '._b.jpg,hidden or system file,left_out\n'
      '._c.jpg,hidden or system file,left_out\n'
      '._d.jpg,hidden or system file,left_out\nn.txt,table,left_out\n'
  )
  html = write.report(tmp_path, tmp_path / 'out')[0].read_text()
  assert '1 image of the data set could not be used: ISIC_1 (cut off).' in html
  assert (
      '4 files below the data folder left out: 3 of the kind “hidden or '
      'system file” (._b.jpg, ._c.jpg, ...); 1 of the kind “table” '
      '(n.txt).'
  ) in html
  assert '2 images with several pictures' in html
  assert 'The folders train/ and test/ are the subsets.' in html
  assert '>centre0/ is a source.' in html


def test_older_lists_of_what_was_skipped_are_read(
    tmp_path: pathlib.Path,
) -> None:
  """They have two columns; some runs kept the count alone."""
  run = workdirs.write(tmp_path / 'a', 'all')
  (run / 'skipped.csv').write_text('image_id,reason\nx,no JPEG\n')
  [found] = collect.collect(tmp_path).runs
  assert list(cautions.left_out(found)) == [
      '1 image of the data set could not be used: x (no JPEG).'
  ]
  workdirs.write(tmp_path / 'b', 'head', change=lambda s: s.update(skipped=7))
  found = collect.collect(tmp_path).runs[-1]
  assert list(cautions.left_out(found)) == [
      '7 images of the data set could not be used.'
  ]


@pytest.mark.parametrize(
    'change, reason',
    [
        (lambda s: s['leak'].update(copies='many'), 'leak.copies'),
        (lambda s: s.update(test_without_copies={'n': 3}), 'accuracy is None'),
        (lambda s: s.update(training_notes='bad'), 'no list of notes'),
        (
            lambda s: s.update(training_notes=[{'kind': 'rising'}]),
            'no list of notes',
        ),
        (lambda s: s['test'].update(per_class={'nv': {}}), 'of other classes'),
        (lambda s: s.update(positive={'class': 3, 'why': ''}), 'is no name'),
    ],
)
def test_new_numbers_are_checked_as_the_old_ones(
    tmp_path: pathlib.Path, change: Callable[..., Any], reason: str
) -> None:
  """A damaged summary is left out by name, not shown."""
  workdirs.write(tmp_path / 'good', 'head')
  workdirs.write(tmp_path / 'bad', 'all', change=change)
  [left] = collect.collect(tmp_path).left_out
  assert left.name == 'bad' and reason in left.reason
