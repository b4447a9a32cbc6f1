"""Protects what a run does with the subsets and groups of its folder."""

import csv
import pathlib
from typing import Any

import numpy as np
from PIL import Image
import pytest

from medxfer import errors
from medxfer import spec as specs
from medxfer.recipes import folder as folder_config
from medxfer.report.read import finished_run
from medxfer.runs import inputs
from medxfer.runs import run

_COUNTS = {'Train': 12, 'valid': 4, 'test': 4}


def _fill(root: pathlib.Path, names: list) -> pathlib.Path:
  rng = np.random.default_rng(0)
  for name in names:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rng.integers(0, 256, (32, 32), np.uint8)).save(path)
  return root


@pytest.fixture
def sided(tmp_path: pathlib.Path) -> pathlib.Path:
  """Two classes in three subsets, of usual names that are not our own."""
  return _fill(
      tmp_path / 'data',
      [
          f'{subset}/{name}/{i}.png'
          for subset, count in _COUNTS.items()
          for name in 'ab'
          for i in range(count)
      ],
  )


def _spec(
    root: pathlib.Path, argument: str = 'decision_tree', **data: Any
) -> specs.RunSpec:
  config = folder_config.get_config(argument)
  config.data.update(dir=str(root), image_size=(32, 32), **data)
  config.evaluation.resamples = 20
  return specs.from_config(config)


def _sides(path: pathlib.Path) -> dict:
  with (path / 'split.csv').open(encoding='utf-8', newline='') as file:
    return {row['image_id']: row['split'] for row in csv.DictReader(file)}


def test_sides_that_lie_there_are_used_and_said(
    sided: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """They were pooled; the same command goes on with what it began."""
  path = tmp_path / 'run'
  summary = run.run(_spec(sided), path)
  said = capsys.readouterr().out
  assert 'published (train 24, val 8, test 8 images)' in said
  assert 'published test images would train' in said and 'official spl' in said
  assert summary['split'] == 'official'
  assert any('subsets are as published' in note for note in summary['notes'])
  # A tree has nothing to choose: it trains on the validation images, too.
  assert all(
      subset == ('test' if name.startswith('test/') else 'train')
      for name, subset in _sides(path).items()
  )
  (path / 'summary.json').unlink()
  assert run.run(_spec(sided), path)['split'] == 'official'
  assert finished_run.read(path, 'a').spec.data.split == 'official'
  with pytest.raises(errors.UsageError, match="split: 'auto' -> 'by_image'"):
    run.run(_spec(sided, split='by_image'), path)


@pytest.mark.parametrize(
    'argument, kind, message',
    [
        (
            'head,thesis',
            'by_image',
            'split again by image: published test images tr',
        ),
        ('head,official', 'official', ''),
    ],
)
def test_a_split_that_is_named_overrules(
    sided: pathlib.Path,
    argument: str,
    kind: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """And the run says what becomes of the published subsets."""
  config = folder_config.get_config(argument)
  config.model.init_from = 'random'
  config.data.update(dir=str(sided), image_size=(32, 32))
  read = inputs.read(specs.from_config(config))
  assert read.decision.kind == kind
  assert message in capsys.readouterr().out
  tested = [read.examples.image_ids[i] for i in read.split.test]
  assert all(n.startswith('test/') for n in tested) == (kind == 'official')


def test_patients_in_folders_are_kept_on_one_side(
    tmp_path: pathlib.Path,
) -> None:
  """Without a table; with official, too, where the audit still counts."""
  root = _fill(
      tmp_path / 'data',
      [
          f'{subset}/{name}/patient{i}/{j}.png'
          for subset, numbers in (('train', range(10)), ('test', range(9, 15)))
          for name in 'ab'
          for i in numbers
          for j in range(2)
      ],
  )
  read = inputs.read(_spec(root, 'decision_tree,grouped'))
  assert read.leak.images == 0 and read.decision.kind == 'grouped'
  read = inputs.read(_spec(root, 'decision_tree,official,grouped'))
  assert read.leak.images == 4 and read.leak.groups == 1
  assert {
      read.examples.image_ids[i].split('/')[0] for i in read.split.test
  } == {'test'}
  with pytest.raises(errors.UsageError, match='data.groups=FILE'):
    inputs.read(_spec(root, 'decision_tree,grouped', levels='class'))
