"""Protects workdirs of version 0.1, which names two values otherwise."""

import json
import pathlib

import pytest

from medxfer import files
from medxfer import spec as specs
from medxfer.model.weights import metadata
from medxfer.report.read import finished_run
from medxfer.runs import run
from medxfer.runs import workdir
from medxfer.training import checkpoints
from tests import tiny


def test_a_run_that_says_thesis_resumes(
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
  """It is the same run: split by image, pixels in [-1, 1]."""
  config = tiny.config(phantoms)
  config.model.name = 'tiny'
  config.training.epochs = 1
  with monkeypatch.context() as old:
    written = metadata.Contract.to_json
    old.setattr(
        metadata.Contract,
        'to_json',
        lambda self: written(self).replace(
            '"preprocessing": "tf"', '"preprocessing": "thesis"'
        ),
    )
    run.run(specs.from_config(config), tmp_path)
  for name, change in (
      (
          'config.json',
          lambda found: (
              found['data'].update(split='thesis'),
              found['model'].update(preprocessing='thesis'),
          ),
      ),
      ('summary.json', lambda found: found.update(split='thesis')),
  ):
    found = json.loads((tmp_path / name).read_text())
    change(found)
    files.write_json(tmp_path / name, found)
  spec = finished_run.read(tmp_path, 'run').spec
  assert spec == specs.from_config(config)
  assert checkpoints.export(tmp_path).contract.preprocessing == 'tf'
  config.training.epochs = 2
  run.run(specs.from_config(config), tmp_path)
  summary = workdir.Workdir(tmp_path).summary()
  assert (summary['epochs_run'], summary['split']) == (2, 'by_image')
  found = files.read_json(tmp_path / 'config.json')
  assert found['data']['split'] == 'by_image'
