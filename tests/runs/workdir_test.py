"""Protects the files of a workdir: of which version, and where."""

import pathlib

import pytest

from medxfer import errors
from medxfer import files
from medxfer.runs import workdir
from medxfer.training import checkpoints
from tests.report import workdirs


def _written_by(path: pathlib.Path, version: str) -> workdir.Workdir:
  """Writes a workdir of another version, which has a key of its own."""
  run = workdirs.write(path, 'all')
  files.write_json(run / 'environment.json', {'versions': {'medxfer': version}})
  config = files.read_json(run / 'config.json')
  files.write_json(run / 'config.json', {**config, 'key_of_tomorrow': 1})
  return workdir.Workdir(run)


@pytest.mark.parametrize('version', ['99.0.0', '0.10.0', '1.0.0rc1'])
def test_a_workdir_of_a_future_version_is_refused_with_it(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
  """Its configuration may mean something that this version does not know."""
  monkeypatch.setattr(workdir.medxfer, '__version__', '0.9.1')
  with pytest.raises(
      errors.DataError,
      match=(f'written by medxfer {version}, this is 0.9.1; update medxfer'),
  ):
    _written_by(tmp_path / 'w', version).spec()


@pytest.mark.parametrize(
    'versions', [{'medxfer': '0.1.0'}, {'medxfer': None}, {}, None, 3]
)
def test_a_workdir_of_an_older_version_is_read(
    tmp_path: pathlib.Path, versions: dict | int | None
) -> None:
  """From a checkout, version 0.1 wrote none."""
  run = workdirs.write(tmp_path / 'w', 'all')
  files.write_json(run / 'environment.json', {'versions': versions})
  assert workdir.Workdir(run).spec() == workdirs.spec('all')


def test_checkpoints_lie_where_training_saves_them() -> None:
  """The name stands twice: importing it would load JAX for a report."""
  assert workdir.CHECKPOINTS == checkpoints.FOLDER


def test_what_is_written_is_read(tmp_path: pathlib.Path) -> None:
  """The class is the only one that knows the files."""
  source = workdir.Workdir(workdirs.write(tmp_path / 'a', 'all'))
  (tmp_path / 'b').mkdir()
  copy = workdir.Workdir(tmp_path / 'b')
  assert not copy.is_begun and not copy.is_finished
  copy.write_start(source.spec(), {'devices': ['cpu', 'gpu']})
  copy.write_inputs(
      {'images_digest': 'x'},
      source.split(),
      [('a.jpg', 'damaged', 'skipped'), ('b.txt', 'no image', 'left_out')],
  )
  copy.write_history(source.history())
  copy.take_scores(source)
  copy.write_continued([])
  copy.write_summary(source.summary())
  assert copy.spec() == source.spec() and copy.devices() == 'cpu, gpu'
  assert copy.split() == source.split()
  assert copy.fingerprints() == {'images_digest': 'x'}
  assert copy.left_out() == (
      ('a.jpg', 'damaged', True),
      ('b.txt', 'no image', False),
  )
  assert copy.history() == source.history()
  assert copy.predictions('val').groups == source.predictions('val').groups
  assert copy.continued() == [] and copy.is_finished
  assert copy.summary_digest() == source.summary_digest()
  copy.remove_summary()
  assert copy.summary_digest() is None
