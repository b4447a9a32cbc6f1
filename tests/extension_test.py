"""Protects the promise: a data set or an architecture is a file and a line.

A copy of the package gets one of each that nobody has heard of, and a recipe.
What trains, compares and reports on them must know them as it knows its own.
"""

import html
import os
import pathlib
import re
import shutil
import subprocess
import sys
from typing import Any

import numpy as np
from PIL import Image
import pytest

_ROOT = pathlib.Path(__file__).parents[1]
_DATA_SET = '''
"""Fundus photographs, four of each eye."""

import numpy as np

from medxfer.data import examples as examples_lib
from medxfer.data import registry

CLASS_NAMES = ('clear', 'glaucoma')


def read(folder, *, on_bad_image='fail'):
  """Lists CLASS-EYE-NUMBER.png."""
  del on_bad_image
  paths = sorted(folder.glob('*.png'))
  names = [path.stem.split('-') for path in paths]
  return examples_lib.Examples(
      name='fundus', class_names=CLASS_NAMES,
      image_ids=tuple(path.stem for path in paths), paths=tuple(paths),
      labels=np.array([CLASS_NAMES.index(n[0]) for n in names], np.int32),
      groups=tuple('-'.join(name[:2]) for name in names))


DATASET = registry.Dataset(
    name='fundus', title='Fundus photographs', read=read, group='eye',
    origin='ask the clinic for it')
'''
_ARCHITECTURE = '''
"""Three blocks of a convolution."""

from medxfer.model.architectures import architecture

ARCHITECTURE = architecture.Architecture(
    name='pocket', title='Pocket VGG', depths=(1, 1, 1), widths=(4, 4, 4))
'''
_RECIPE = '''
"""Fundus photographs, two arms and a study of both."""

from medxfer.recipes import common
from medxfer.recipes import studies


def _last_block(config):
  common.random_start(config)
  common.SCOPES['last_block'](config)


ARMS = {'random': common.random_start, 'last_block': _last_block,
        **common.BASELINES}


def get_config(argument=None):
  if (argument or '').startswith('study'):
    return studies.compose(
        argument.removeprefix('study'), name='fundus', title='Two starts',
        configure=get_config, arms=('decision_tree', 'random'))
  config = common.compose(argument, ARMS, common.MODIFIERS)
  config.data.update(name='fundus', image_size=(32, 32))
  config.model.head_units = (8, 8)
  config.training.update(epochs=1, batch_size=8)
  config.evaluation.resamples = 20
  return config
'''


def _add_line(path: pathlib.Path, after: Any, line: Any) -> None:
  """Adds a line to a file, below the last that begins like another."""
  lines = path.read_text().splitlines()
  place = max(i for i, old in enumerate(lines) if old.startswith(after))
  path.write_text('\n'.join([*lines[: place + 1], line, *lines[place + 1 :]]))


@pytest.fixture(scope='module')
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Any:
  """A copy of the package with a data set, an architecture and images."""
  folder = tmp_path_factory.mktemp('extended')
  for name in ('medxfer', 'configs', 'tools'):
    shutil.copytree(
        _ROOT / name,
        folder / name,
        ignore=shutil.ignore_patterns('__pycache__'),
    )
  (folder / 'medxfer/data/fundus.py').write_text(_DATA_SET)
  _add_line(
      folder / 'medxfer/data/registry.py',
      "    'folder':",
      "    'fundus': 'medxfer.data.fundus',",
  )
  architectures = folder / 'medxfer/model/architectures'
  (architectures / 'pocket.py').write_text(_ARCHITECTURE)
  (folder / 'configs/fundus.py').write_text(_RECIPE)
  registered = architectures / '__init__.py'
  registered.write_text(
      registered.read_text()
      .replace('tiny.ARCHITECTURE)', 'tiny.ARCHITECTURE, pocket.ARCHITECTURE)')
      .replace(
          'import tiny\n',
          'import tiny\n' 'from medxfer.model.architectures import pocket\n',
      )
  )
  images = folder / 'data/fundus'
  images.mkdir(parents=True)
  random = np.random.default_rng(0)
  for i in range(48):
    kind = ('clear', 'glaucoma')[i % 2]
    pixels = random.integers(60, 140, (36, 40, 3)) + 60 * (i % 2)
    Image.fromarray(pixels.astype(np.uint8)).save(
        images / f'{kind}-{i // 4}-{i % 4}.png'
    )
  return folder


def _run(checkout: Any, *arguments: Any) -> Any:
  done = subprocess.run(
      [sys.executable, '-m', *arguments],
      cwd=checkout,
      check=False,
      capture_output=True,
      text=True,
      env={
          **os.environ,
          'PYTHONPATH': str(checkout),
          'MEDXFER_DATA': str(checkout / 'data'),
      },
  )
  assert done.returncode == 0, done.stderr + done.stdout
  return done.stdout


@pytest.mark.slow
def test_a_data_set_and_an_architecture_are_a_file_and_a_line(
    checkout: Any,
) -> None:
  """Training, study and page call both by their own names and units."""
  _run(
      checkout,
      'medxfer.main',
      '--workdir=runs/alone',
      '--config=configs/fundus.py:last_block,pocket,grouped',
  )
  parameters = (checkout / 'runs/alone/parameters.txt').read_text()
  assert re.search(r'block2_conv1.*frozen', parameters)
  assert re.search(r'block3_conv1.*trainable', parameters)
  _run(
      checkout,
      'medxfer.study',
      '--workdir=runs/study',
      '--config=configs/fundus.py:study,pocket,grouped',
  )
  _run(checkout, 'medxfer', 'report', '--workdir=runs', '--output=page')
  page = (checkout / 'page/index.html').read_text()
  # The checklists of journals speak of patients, whatever the images are.
  page = re.sub('<summary>Checklists.*?</details>', '', page, flags=re.DOTALL)
  text = html.unescape(re.sub('<[^>]+>', ' ', page))
  for words in (
      'Fundus photographs',
      'split by eye',
      'Pocket VGG',
      'No eye is in both train and test',
      'Block 3',
      'CNN, random weights',
      'Decision tree',
  ):
    assert words in text, words
  for words in (
      'VGG-16',
      'Block 4',
      'lesion',
      'patient',
      'HAM10000',
      'Folder “',
      'unnamed',
  ):
    assert words not in text, words
  assert (checkout / 'page/tables/table_fundus.md').exists()
