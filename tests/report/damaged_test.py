"""Protects the page from damaged calibrations, points and subgroups."""

from collections.abc import Callable
import pathlib
from typing import Any

import pytest

from medxfer import errors
from medxfer import files
from medxfer.evaluation import operating_points
from medxfer.evaluation import subgroups
from medxfer.report.page import write as page
from medxfer.report.read import finished_run
from medxfer.runs import calibrated
from medxfer.runs import workdir
from tests.report import workdirs


def _write(
    path: pathlib.Path, change: Callable[[dict], None] = lambda summary: None
) -> None:
  """Writes a run with all three, and changes its summary."""
  workdirs.write(path, 'all', classes=workdirs.XRAY, dataset='chest_xray')
  test = workdir.Workdir(path).predictions('test')
  summary = files.read_json(path / 'summary.json')
  names = list(test.class_names)
  summary['calibration'] = {
      'method': 'temperature',
      'temperature': 1.5,
      'biases': dict.fromkeys(names, 0.0),
      'before': {
          'test': {'ece': 0.2, 'ece_debiased': 0.1, 'ece_interval': [0.1, 0.3]}
      },
  }
  summary['operating_points'] = operating_points.measures(
      test, test, [('specificity', 0.8)], names[1:], {names[1]: 0.1}
  )
  summary['subgroups'] = subgroups.measures(
      test, {'sex': [('f', 'm')[i % 2] for i in range(len(test.labels))]}
  )
  change(summary)
  files.write_json(path / 'summary.json', summary)


def test_sound_ones_stand_on_the_page(tmp_path: pathlib.Path) -> None:
  """In its tables and sentences."""
  _write(tmp_path / 'a')
  page.report(tmp_path, tmp_path / 'report')
  text = (tmp_path / 'report' / 'index.html').read_text()
  for part in (
      '0.100 before the probabilities were calibrated',
      'ECE, uncalibrated',
      'Operating points',
      'specificity 0.8',
      'Subgroups of the test images',
      'Decision curve',
  ):
    assert part in text


def _set(*keys: Any) -> Callable[[dict], None]:
  """Returns what puts the last of `keys` at the place of the others."""

  def change(summary: dict) -> None:
    *above, key, value = keys
    node = summary
    for part in above:
      node = node[part]
    node[key] = value

  return change


@pytest.mark.parametrize(
    'change',
    [
        _set('calibration', 'temperature', 'warm'),
        _set('calibration', 'temperature', 0),
        _set('calibration', 'method', 'guess'),
        _set('calibration', 'biases', {'a': 0.0}),
        _set('calibration', 'before', {}),
        _set('calibration', 'before', 'test', 'ece', 'x'),
        _set('calibration', [1]),
        _set('operating_points', 0, 'ppv', 'high'),
        _set('operating_points', 0, 'intervals', {}),
        _set('operating_points', [3]),
        _set('subgroups', 'columns', 'sex', 0, 'gap', {'value': 'x'}),
        _set('subgroups', 'columns', 'sex', 0, 'sensitivity', {}),
        _set('subgroups', 'columns', 'sex', 3),
        _set('subgroups', {'columns': {}}),
    ],
)
def test_damaged_ones_are_named(
    tmp_path: pathlib.Path, change: Callable[[dict], None]
) -> None:
  """With the file; the run is left out, not the page."""
  _write(tmp_path / 'a', change)
  with pytest.raises(errors.DataError, match='summary.json'):
    finished_run.read(tmp_path / 'a', 'a')


def test_a_damaged_calibration_is_no_traceback() -> None:
  """Wherever a network is rebuilt."""
  with pytest.raises(errors.DataError, match='calibration is damaged'):
    calibrated.of_summary({'calibration': {'method': 'x'}}, ('a', 'b'))
