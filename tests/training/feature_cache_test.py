"""Protects the feature cache: same results, and a reason for its choice."""

from collections.abc import Iterator
import dataclasses
import pathlib
from typing import Any

import jax
import numpy as np
import pytest

from medxfer import spec as specs
from medxfer.data import splits
from medxfer.model import architectures
from medxfer.model import initialization
from medxfer.model import vgg
from medxfer.model.architectures import architecture
from medxfer.runs import inputs as inputs_lib
from medxfer.runs import scoring
from medxfer.runs import tasks
from medxfer.training import devices
from medxfer.training import dispatch
from medxfer.training import feature_cache
from medxfer.training import feeds
from medxfer.training import kept_features
from medxfer.training import memory
from medxfer.training import steps
from tests import tiny

_TINY = architectures.BY_NAME['tiny']
_VGG16 = architectures.BY_NAME['vgg16']


def _spec(
    phantoms: pathlib.Path, trainable: str, **augment: Any
) -> specs.RunSpec:
  config = tiny.config(phantoms)
  config.model.update(trainable=trainable, dropout=0.2)
  config.augment.update(zoom=0.0, brightness=0.0, **augment)
  config.training.epochs = 8
  return specs.from_config(config)


@pytest.mark.parametrize(
    'architecture, name',
    [
        *((_TINY, name) for name in (*_TINY.convolutions, 'fc1')),
        *(
            pytest.param(_VGG16, name, marks=pytest.mark.slow)
            for name in (*_VGG16.convolutions, 'fc1')
        ),
    ],
)
def test_entering_at_any_layer_gives_the_same_logits(
    architecture: architecture.Architecture, name: str
) -> None:
  """The activation before a layer is all that the rest depends on."""
  model = vgg.VGG(architecture, 3, head_units=(8, 8))
  params = _params(model)
  images = jax.random.normal(jax.random.key(1), (2, 32, 32, 3))
  logits, activations = model.apply({'params': params}, images)
  before = architecture.input_of(name)
  entered = images if before is None else activations[before]
  np.testing.assert_array_equal(
      logits, model.apply({'params': params}, entered, first=name)[0]
  )


def _params(model: vgg.VGG) -> dict:
  return initialization.initial_params(model, (32, 32), jax.random.key(0), None)


_IN_MEMORY = kept_features.Decision(True, '', in_memory=True)
_PLACES = {
    'memory': _IN_MEMORY,
    'disk': kept_features.Decision(True, '', on_disk=True),
    'device': kept_features.Decision(True, '', on_device=True),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    'trainable, place',
    [
        ('block2', 'memory'),
        ('block2', 'disk'),
        ('block2', 'device'),
        ('block2_conv2', 'memory'),
        ('none', 'memory'),
    ],
)
def test_training_on_the_cache_equals_training_on_pixels(
    phantoms: pathlib.Path, tmp_path: pathlib.Path, trainable: str, place: Any
) -> None:
  """Losses and parameters to float32 rounding, with all eight views."""
  spec = _spec(phantoms, trainable)
  inputs = inputs_lib.read(spec)
  data = scoring.data(spec, inputs)
  task, state = tasks.build(spec, inputs)
  stored = dataclasses.replace(
      data,
      feed=feature_cache.feed(
          task,
          state.params,
          data.source,
          data.split,
          _PLACES[place],
          tmp_path,
          'digest',
      ),
  )
  results = []
  for images in (data, stored):
    step = steps.compile_steps(task, images.feed).train
    rows = data.split.train[:24].reshape(3, 8)
    now, losses = jax.tree.map(lambda leaf: leaf.copy(), state), []
    for given in dispatch.training(
        images.feed, data.labels, rows, np.ones((3, 8), np.float32), ''
    ):
      now, sums = step(now, images.feed.stored, *given, devices.key(5))
      losses.append(float(sums['loss'][0]))
    results.append((losses, now.params))
  np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-5)
  jax.tree.map(
      lambda a, b: np.testing.assert_allclose(a, b, atol=2e-4),
      results[0][1],
      results[1][1],
  )


def test_validation_sees_the_images_as_they_are(phantoms: pathlib.Path) -> None:
  """Not a random view, and each row its own image."""
  spec = _spec(phantoms, 'block2')
  inputs = inputs_lib.read(spec)
  data = scoring.data(spec, inputs)
  task, state = tasks.build(spec, inputs)
  feed = feature_cache.feed(
      task, state.params, data.source, data.split, _IN_MEMORY
  )
  rows = data.split.val[None, :]
  plain, stored = (
      steps.compile_predict(task.model, f)(
          state.params, f.stored, next(f.batches(rows))
      )
      for f in (data.feed, feed)
  )
  np.testing.assert_allclose(plain, stored, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    'trainable, changes, keep, reason',
    [
        ('block2', {}, True, 'block1_pool of 8 views'),
        ('none', {'augment.horizontal_flip': False}, True, 'block2_pool'),
        ('block1,block2', {}, False, 'block1_conv1 trains'),
        ('block2', {'augment.zoom': 0.1}, False, 'augment.zoom'),
        ('block2', {'training.epochs': 4}, False, 'save nothing'),
        ('block2', {'training.feature_cache': 'off'}, False, 'is off'),
    ],
)
def test_the_decision_and_its_reason(
    phantoms: pathlib.Path,
    trainable: str,
    changes: dict,
    keep: bool,
    reason: str,
) -> None:
  """The log must say what was decided, and why."""
  spec = _spec(phantoms, trainable)
  for key, value in changes.items():
    group, name = key.split('.')
    part = dataclasses.replace(getattr(spec, group), **{name: value})
    spec = dataclasses.replace(spec, **{group: part})
  inputs = inputs_lib.read(spec)
  decision = kept_features.decide(spec, inputs.split)
  assert decision.keep == keep and reason in decision.reason


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16', 'tf32'])
@pytest.mark.parametrize('trainable', ['none', 'block2', 'block2_conv2'])
def test_bytes_are_those_that_are_kept(
    phantoms: pathlib.Path, tmp_path: pathlib.Path, trainable: str, dtype: str
) -> None:
  """Counted before a network is built, for a whole study."""
  spec = _spec(phantoms, trainable)
  spec = dataclasses.replace(
      spec, model=dataclasses.replace(spec.model, dtype=dtype)
  )
  inputs = inputs_lib.read(spec)
  data = scoring.data(spec, inputs)
  task, state = tasks.build(spec, inputs)
  feature_cache.feed(
      task,
      state.params,
      data.source,
      data.split,
      _PLACES['disk'],
      tmp_path,
      'digest',
  )
  [file] = tmp_path.glob('prefix-*/activations')
  assert file.stat().st_size == (
      len(data.split) * 8 * kept_features.bytes_of_view(spec)
  )


def test_too_little_memory_switches_it_off(
    phantoms: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """A cache that does not fit would end the run instead of speeding it."""
  monkeypatch.setattr(memory, 'in_memory', lambda: 2**20)
  spec = _spec(phantoms, 'block2')
  inputs = inputs_lib.read(spec)
  decision = kept_features.decide(spec, inputs.split)
  assert not decision.keep and 'memory' in decision.reason


def test_another_run_finds_what_the_first_has_computed(
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
  """Same images and weights, another split: only new images are computed."""
  spec = _spec(phantoms, 'block2')
  inputs = inputs_lib.read(spec)
  data = scoring.data(spec, inputs)
  task, state = tasks.build(spec, inputs)
  asked = []

  def batches(rows: np.ndarray) -> Iterator:
    asked.extend(rows.reshape(-1).tolist())
    return data.source.batches(rows)

  def compute(split: splits.Split) -> feeds.Feed:
    asked.clear()
    source = dataclasses.replace(data.source, batches=batches)
    return feature_cache.feed(
        task, state.params, source, split, _PLACES['disk'], tmp_path, 'digest'
    )

  first = compute(data.split)
  assert set(asked) == {*data.split.train, *data.split.val}
  again = compute(data.split)
  assert not asked
  rows = data.split.train[None, :4]
  np.testing.assert_array_equal(
      next(first.batches(rows)), next(again.batches(rows))
  )
  swapped = dataclasses.replace(
      data.split, train=data.split.test, test=data.split.train
  )
  compute(swapped)
  assert set(asked) == set(data.split.test)


@pytest.mark.parametrize(
    'change',
    [{'params': True}, {'images_digest': 'other'}, {'preprocessing': True}],
)
def test_other_weights_images_or_pixels_find_nothing(
    phantoms: pathlib.Path, tmp_path: pathlib.Path, change: dict
) -> None:
  """What was computed for something else is never used."""
  spec = _spec(phantoms, 'block2')
  inputs = inputs_lib.read(spec)
  task, state = tasks.build(spec, inputs)
  params = dict(state.params)
  key = feature_cache.key(task, params, 'digest')
  if 'params' in change:
    params['block1_conv1'] = jax.tree.map(
        lambda a: a + 1, params['block1_conv1']
    )
  if 'preprocessing' in change:
    task = dataclasses.replace(
        task,
        spec=dataclasses.replace(
            spec, model=dataclasses.replace(spec.model, preprocessing='caffe')
        ),
    )
  assert key != feature_cache.key(
      task, params, change.get('images_digest', 'digest')
  )
