"""The table gives back exactly what was scored, and nothing damaged."""

import csv
import dataclasses
import os
import pathlib

import numpy as np
import pytest

from medxfer import errors
from medxfer.evaluation import metrics
from medxfer.evaluation import predictions as predictions_lib

GOOD = (
    'image_id,label,prediction,p_mel,p_nv\r\n'
    'a,mel,mel,0.75,0.25\r\n'
    'b,nv,mel,0.5,0.5\r\n'
    'c,nv,nv,0.25,0.75\r\n'
)


def _random(
    n: int = 300, classes: tuple = ('akiec', 'mel', 'nv')
) -> predictions_lib.Predictions:
  generator = np.random.default_rng(0)
  return predictions_lib.Predictions(
      tuple(f'ISIC_{i:07}' for i in range(n)),
      generator.integers(0, len(classes), n),
      generator.dirichlet(np.full(len(classes), 0.3), n),
      classes,
  )


def _refused(tmp_path: pathlib.Path, text: bytes | str) -> str:
  path = tmp_path / 'predictions_test.csv'
  path.write_bytes(text if isinstance(text, bytes) else text.encode())
  with pytest.raises(errors.DataError) as caught:
    predictions_lib.read(path)
  assert str(path) in str(caught.value)
  return str(caught.value)


def test_round_trip_is_bit_exact(tmp_path: pathlib.Path) -> None:
  """Protects: metrics from the file are those from memory."""
  before = _random()
  predictions_lib.write(tmp_path / 'p.csv', before)
  after = predictions_lib.read(tmp_path / 'p.csv')
  assert after.image_ids == before.image_ids
  assert after.class_names == before.class_names
  assert after.groups == ()
  assert np.array_equal(after.labels, before.labels)
  assert after.probabilities.dtype == np.float64
  assert after.probabilities.tobytes() == before.probabilities.tobytes()
  assert metrics.compute(after) == metrics.compute(before)


def test_header_and_cells_are_those_of_the_design(
    tmp_path: pathlib.Path,
) -> None:
  """Protects: the columns other programs read."""
  path = tmp_path / 'p.csv'
  predictions_lib.write(
      path,
      predictions_lib.Predictions(
          ('a',), np.array([1]), np.array([[0.1, 0.9]]), ('mel', 'nv')
      ),
  )
  assert path.read_bytes() == (
      b'image_id,label,prediction,p_mel,p_nv\r\na,nv,nv,0.1,0.9\r\n'
  )


def test_awkward_names_survive(tmp_path: pathlib.Path) -> None:
  """Protects: ids and classes are data, formula signs and quotes included."""
  ids = (
      '=1+1',
      '+a',
      '-b',
      '@c',
      'x,"y"',
      ' s ',
      'l\r\nm',
      'l\nm',
      'ü/漢',
      '0',
  )
  classes = ('=cmd()', 'a "b", c', '-')
  before = predictions_lib.Predictions(
      ids, np.arange(10) % 3, np.tile([0.5, 0.25, 0.25], (10, 1)), classes
  )
  predictions_lib.write(tmp_path / 'p.csv', before)
  after = predictions_lib.read(tmp_path / 'p.csv')
  assert (after.image_ids, after.class_names) == (ids, classes)
  with (tmp_path / 'p.csv').open(newline='', encoding='utf-8') as stream:
    assert [row[0] for row in csv.reader(stream)][1:] == list(ids)


def test_foreign_line_ends_and_byte_order_mark_are_read(
    tmp_path: pathlib.Path,
) -> None:
  """Protects: tables that a spreadsheet or Unix tools saved again."""
  for i, text in enumerate((GOOD, GOOD.replace('\r\n', '\n'), '\ufeff' + GOOD)):
    path = tmp_path / f'{i}.csv'
    path.write_bytes(text.encode())
    assert predictions_lib.read(path).predicted.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    'old, new, words',
    [
        (GOOD, '', 'empty'),
        (GOOD, GOOD.split('a,mel')[0], 'no image'),
        ('image_id,', 'image,', "'image_id' is missing"),
        ('label,', '', "'label' is missing"),
        ('prediction,', '', "'prediction' is missing"),
        ('label,prediction', 'prediction,label', 'the header is'),
        (',p_mel,p_nv', '', 'the header is'),
        ('p_nv\r', 'nv\r', 'the header is'),
        ('p_mel', 'p_', 'the header is'),
        ('p_mel', 'p_nv', "'p_nv' is there twice"),
        ('b,nv', 'b,df', "line 3: label 'df'"),
        ('b,nv,mel', 'b,nv,df', "line 3: prediction 'df'"),
        ('0.5,0.5', '0.5,half', "line 3: p_nv is 'half'"),
        ('0.5,0.5', '0.5,', "line 3: p_nv is ''"),
        ('0.5,0.5', 'nan,0.5', "line 3: p_mel is 'nan'"),
        ('0.5,0.5', 'inf,0.5', "line 3: p_mel is 'inf'"),
        ('0.5,0.5', '1e999,0.5', 'line 3: the probabilities inf'),
        ('0.5,0.5', '1_0,0.5', "line 3: p_mel is '1_0'"),
        ('0.5,0.5', '0.5', 'line 3: 4 cells under 5 columns'),
        ('0.5,0.5', '0.5,0.5,0', 'line 3: 6 cells under 5 columns'),
        ('0.5,0.5', '1e300,0.5', 'line 3: the probabilities inf'),
        ('0.5,0.5', '0.5,0.498', 'sum to 0.998'),
        ('0.5,0.5', '1.5,-0.5', 'leave [0, 1]'),
        ('c,nv', 'a,nv', "line 4: image_id 'a' was already on line 2"),
        ('c,nv', ',nv', 'line 4: image_id'),
        ('b,nv,mel', 'b,nv,nv', "line 3: prediction 'nv', but"),
        ('a,mel,mel', 'a,mel,nv', "line 2: prediction 'nv', but"),
        ('b,nv', '"b,nv', 'not valid CSV'),
        ('b,nv', '"b"x,nv', 'line 3: not valid CSV'),
        ('0.75\r\n', '0.7', 'line 4: cut off'),
        ('b,nv', '\r\nb,nv', 'line 3: 0 cells'),
    ],
)
def test_bad_tables_are_refused(
    tmp_path: pathlib.Path, old: str, new: str, words: str
) -> None:
  """Protects: no metric from a table that is damaged; file and line said."""
  assert old in GOOD
  assert words in _refused(tmp_path, GOOD.replace(old, new))


def test_bytes_that_are_no_text_and_missing_files_are_refused(
    tmp_path: pathlib.Path,
) -> None:
  """Protects: one message instead of a traceback."""
  assert 'not UTF-8' in _refused(tmp_path, GOOD.encode('utf-16'))
  for path in (tmp_path / 'none.csv', tmp_path):
    with pytest.raises(errors.DataError, match='cannot be read'):
      predictions_lib.read(path)


@pytest.mark.parametrize(
    'row', [[np.nan, 0.5], [0.6, 0.6], [1.5, -0.5], [np.inf, 0]]
)
def test_unreadable_tables_are_not_written(
    tmp_path: pathlib.Path, row: list
) -> None:
  """Protects: a diverged run does not replace a good table."""
  path = tmp_path / 'p.csv'
  path.write_text(GOOD)
  with pytest.raises(errors.DataError, match="image 'a'"):
    predictions_lib.write(
        path,
        predictions_lib.Predictions(
            ('a',), np.array([0]), np.array([row]), ('x', 'y')
        ),
    )
  assert path.read_text() == GOOD.replace('\r\n', '\n')
  assert os.listdir(tmp_path) == ['p.csv']


def test_failed_writes_leave_nothing(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """Protects: a full disk leaves the old table and no temporary file."""
  path = tmp_path / 'p.csv'
  path.write_text('old')
  good = _random(3)

  def full(descriptor: int) -> None:
    raise OSError(28, 'No space left on device')

  with monkeypatch.context() as patch:
    patch.setattr(os, 'fsync', full)
    with pytest.raises(errors.DataError, match='No space left'):
      predictions_lib.write(path, good)
  bad_class = dataclasses.replace(good, class_names=('a', '\udc80', 'c'))
  bad_id = dataclasses.replace(good, image_ids=('a', '\udc80', 'c'))
  twice = dataclasses.replace(good, image_ids=('a',) * 3)
  for bad, words in (
      (bad_class, 'cannot be written'),
      (bad_id, 'line 3'),
      (twice, 'line 3'),
  ):
    with pytest.raises(errors.DataError, match=words):
      predictions_lib.write(path, bad)
  for place in (tmp_path / 'no' / 'p.csv', path / 'p.csv'):
    with pytest.raises(errors.DataError, match='cannot be written'):
      predictions_lib.write(place, good)
  assert path.read_text() == 'old' and os.listdir(tmp_path) == ['p.csv']


def test_groups_are_attached_by_image_id() -> None:
  """Protects: every image gets its own group, or the split is refused."""
  scored = _random(3)
  groups = {name: f'lesion{i}' for i, name in enumerate(scored.image_ids)}
  shuffled = dict(reversed(groups.items())) | {'other': 'lesion9'}
  grouped = predictions_lib.with_groups(scored, shuffled)
  assert grouped.groups == ('lesion0', 'lesion1', 'lesion2')
  del groups[scored.image_ids[1]]
  with pytest.raises(errors.DataError, match=scored.image_ids[1]):
    predictions_lib.with_groups(scored, groups)


@pytest.mark.parametrize(
    'change',
    [
        {'labels': np.array([0, 1])},
        {'labels': np.array([0, 1, 3])},
        {'labels': np.array([0, 1, -1])},
        {'labels': np.array([0, 1, 0.5])},
        {'class_names': ('a', 'b')},
        {'class_names': ('a', 'a', 'b')},
        {'groups': ('g', 'h')},
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: dict) -> None:
  """Protects: a shifted column cannot become a metric."""
  with pytest.raises(ValueError):
    dataclasses.replace(_random(3), **change)


def test_arrays_are_copies_that_cannot_change() -> None:
  """Protects: what was scored stays what was scored."""
  labels = np.array([0])
  scored = predictions_lib.Predictions(
      ('a',), labels, np.array([[0.4, 0.6]]), ('x', 'y')
  )
  labels[0] = 1
  assert scored.labels.tolist() == [0]
  with pytest.raises(ValueError):
    scored.probabilities[0, 0] = 1
