"""Protects a restart: what is not the run that was begun is refused.

The difference is said, so that a person knows what to restore.
"""

from collections.abc import Callable
import csv
import dataclasses
import pathlib
import shutil
from typing import Any

import ml_collections
import numpy as np
from PIL import Image
from PIL import ImageOps
import pytest

from medxfer import errors
from medxfer import files
from medxfer import spec as specs
from medxfer.data import ham10000
from medxfer.model import weights
from medxfer.runs import fingerprints
from medxfer.runs import inputs as inputs_lib
from medxfer.runs import run
from tests import tiny


@pytest.fixture
def begun(finished: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
  """A workdir whose run has yet to write its summary."""
  path = shutil.copytree(finished, tmp_path / 'run')
  (path / 'summary.json').unlink()
  return path


def _refused(
    config: ml_collections.ConfigDict,
    path: pathlib.Path,
    error: Callable[..., Any],
) -> str:
  """Returns what is said, and sees to it that nothing was touched."""
  before = {p: p.read_bytes() for p in path.rglob('*') if p.is_file()}
  with pytest.raises(error) as raised:
    run.run(specs.from_config(config), path)
  assert {p: p.read_bytes() for p in path.rglob('*') if p.is_file()} == before
  return str(raised.value)


@pytest.mark.parametrize(
    'key, value, said',
    [
        ('seed', 1, 'seed: 0 -> 1'),
        ('data.split', 'grouped', "data.split: 'by_image' -> 'grouped'"),
        ('data.image_size', (40, 40), 'data.image_size: [32, 32] -> [40, 40]'),
        ('model.trainable', 'block2', "model.trainable: 'none' -> 'block2'"),
        (
            'model.preprocessing',
            'caffe',
            "model.preprocessing: 'tf' -> 'caffe'",
        ),
    ],
)
def test_another_specification(
    phantoms: pathlib.Path, begun: pathlib.Path, key: str, value: Any, said: str
) -> None:
  """Seed, split, mask, preprocessing: each makes another experiment."""
  config = tiny.config(phantoms)
  part, _, name = key.rpartition('.')
  (config[part] if part else config)[name] = value
  assert said in _refused(config, begun, errors.UsageError)


def _rewrite(data: pathlib.Path, change: Callable[..., Any]) -> None:
  """Applies (header, rows, folder) -> rows to a copy's metadata."""
  path = data / ham10000.METADATA
  with path.open(newline='') as file:
    header, *rows = csv.reader(file)
  with path.open('w', newline='') as file:
    csv.writer(file).writerows([header, *change(header, rows, data)])


def _drop_one(header: list, rows: list, data: pathlib.Path) -> list:
  name = rows[-1][header.index('image_id')]
  next(data.glob(f'*/{name}.jpg')).unlink()
  return rows[:-1]


def _relabel_one(header: list, rows: list, _: pathlib.Path) -> list:
  label = header.index('dx')
  classes = [row[label] for row in rows]
  common = max(classes, key=classes.count)
  rows[classes.index(common)][label] = next(
      name for name in classes if name != common
  )
  return rows


def _regroup_one(header: list, rows: list, _: pathlib.Path) -> list:
  rows[0][header.index('lesion_id')] = 'HAM_new'
  return rows


@pytest.mark.parametrize(
    'change, said',
    [
        (_drop_one, '1 images are gone: '),
        (_relabel_one, '1 images have another label: '),
        (_regroup_one, '1 images have another group: '),
    ],
)
def test_another_table_of_images(
    phantoms: pathlib.Path,
    begun: pathlib.Path,
    tmp_path: pathlib.Path,
    change: Callable[..., Any],
    said: str,
) -> None:
  """A label that was corrected in between would pass as the same data."""
  data = shutil.copytree(phantoms, tmp_path / 'data')
  _rewrite(data, change)
  text = _refused(tiny.config(data), begun, errors.DataError)
  assert said in text and 'labels_digest' in text


def test_other_pixels(
    phantoms: pathlib.Path, begun: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """An image that changed between two starts changes the experiment."""
  data = shutil.copytree(phantoms, tmp_path / 'data')
  images = sorted(data.glob('*/*.jpg'))
  ImageOps.invert(Image.open(images[1])).save(images[1])
  text = _refused(tiny.config(data), begun, errors.DataError)
  assert 'images_digest' in text and 'the pixels or the weights' in text


def test_another_class_list(
    phantoms: pathlib.Path, begun: pathlib.Path
) -> None:
  """Predictions would be called by the names of other classes."""
  inputs = inputs_lib.read(specs.from_config(tiny.config(phantoms)))
  renamed = dataclasses.replace(
      inputs,
      examples=dataclasses.replace(
          inputs.examples, class_names=tuple('abcdefg')
      ),
  )
  with pytest.raises(errors.DataError) as raised:
    fingerprints.refuse_other(begun, renamed)
  assert 'labels_digest' in str(raised.value)
  assert '50 images have another label' in str(raised.value)


def test_other_weights(phantoms: pathlib.Path, begun: pathlib.Path) -> None:
  """The path may change, what lies there may not."""
  inputs = inputs_lib.read(specs.from_config(tiny.config(phantoms)))
  layer = {'fc1': {'kernel': np.zeros((2, 2), np.float32)}}
  backbones = [
      weights.Weights(
          params,
          weights.describe(
              params,
              architecture='vgg16',
              source='a test',
              preprocessing='caffe',
          ),
      )
      for params in (layer, {'fc1': {'kernel': np.ones((2, 2), np.float32)}})
  ]
  first, second = (
      dataclasses.replace(inputs, backbone=backbone) for backbone in backbones
  )
  files.write_json(begun / 'inputs.json', first.digests())
  fingerprints.refuse_other(begun, first)
  with pytest.raises(errors.DataError, match="weights_digest: '"):
    fingerprints.refuse_other(begun, second)


def test_a_run_of_an_earlier_version_compares_what_it_has(
    phantoms: pathlib.Path, begun: pathlib.Path
) -> None:
  """Else no run of last month could be evaluated."""
  inputs = inputs_lib.read(specs.from_config(tiny.config(phantoms)))
  digests = files.read_json(begun / 'inputs.json')
  del digests['labels_digest']
  files.write_json(begun / 'inputs.json', digests)
  fingerprints.refuse_other(begun, inputs)
