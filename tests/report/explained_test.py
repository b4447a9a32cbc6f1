"""Protects the pictures: of the run's own images, or a reason instead."""

import pathlib
import shutil

import pytest

from medxfer import files
from medxfer import spec as specs
from medxfer.report.figures import explained
from medxfer.report.figures import pictures
from medxfer.report.page import write
from medxfer.report.read import collect
from medxfer.report.read import settings as settings_lib
from tests import tiny
from tests.report import workdirs


def _settings(root: pathlib.Path) -> tuple:
  return settings_lib.arrange(collect.collect(root).runs)


def test_cases_are_the_surest_right_and_wrong_ones(
    tmp_path: pathlib.Path,
) -> None:
  """One right case a class, and no right one among the wrong."""
  workdirs.write(tmp_path / 'a', 'all')
  [run] = collect.collect(tmp_path).runs
  right, wrong = pictures.cases(run)
  scored = run.predictions
  sure = scored.probabilities.max(axis=1)
  hit = scored.predicted == scored.labels
  assert len(right) == len(set(scored.labels[right])) == pictures.CASES
  for i in right:
    alike = hit & (scored.labels == scored.labels[i])
    assert hit[i] and sure[i] == sure[alike].max()
  assert 'nv' in {scored.class_names[scored.labels[i]] for i in right}
  assert sure[wrong].tolist() == sorted(sure[~hit])[::-1][: pictures.CASES]


def test_without_a_checkpoint_the_page_says_so(tmp_path: pathlib.Path) -> None:
  """Committed results keep no checkpoint."""
  workdirs.write(tmp_path / 'a', 'all')
  found = explained.explain(_settings(tmp_path))
  assert not found.pictures
  assert found.missing == (
      'HAM10000: no Grad-CAM and no activations, because a keeps no '
      'checkpoints.',
  )


@pytest.mark.slow
def test_pictures_come_from_the_checkpoints_and_the_images(
    phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """Figure 8.1 and Grad-CAM of a real run; none where the images are gone."""
  from medxfer.runs import run

  data = shutil.copytree(phantoms, tmp_path / 'data')
  config = tiny.config(data, network='vgg16')
  run.run(specs.from_config(config), tmp_path / 'runs' / 'all')
  shutil.copytree(tmp_path / 'runs' / 'all', tmp_path / 'runs' / 'random')
  # A head trains in seconds; what trained is nothing to these pictures.
  for arm, dropout in (('all', 0.4), ('random', 0.5)):
    path = tmp_path / 'runs' / arm / 'config.json'
    config = files.read_json(path)
    config['arm'] = arm
    config['model'].update(trainable='all', dropout=dropout)
    files.write_json(path, config)
  page, _ = write.report(tmp_path / 'runs', tmp_path / 'report')
  figures = {p.name for p in (page.parent / 'figures').glob('*.png')}
  assert 'figure_8_1_ham10000.png' in figures
  assert figures & {
      f'gradcam_ham10000_{kind}.png' for kind in ('right', 'wrong')
  }
  assert 'alt="Mean activation of block1_conv1: All layers' in page.read_text()
  [setting] = _settings(tmp_path / 'runs')
  shutil.rmtree(data)
  found = explained.explain([setting])
  assert not found.pictures
  assert str(data) in found.missing[0]
