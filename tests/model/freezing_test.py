"""Protects the meaning of frozen: bit for bit, no state, no backward pass."""

from collections.abc import Callable
import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from medxfer import spec as specs
from medxfer.data import pixel_sources
from medxfer.model import architectures
from medxfer.model import initialization
from medxfer.model import trainable
from medxfer.model import vgg
from medxfer.recipes import ham
from medxfer.training import feeds
from medxfer.training import state as states
from medxfer.training import steps
from medxfer.training import strategy
from medxfer.training import task as task_lib

_VGG16 = architectures.BY_NAME['vgg16']
_SIZE = (32, 32)
_BATCH = 4


def _spec(arm: str, network: dict | str, **changes: Any) -> specs.RunSpec:
  """Returns a recipe; `network` is a name, or parameters of one."""
  if not isinstance(network, str):
    network = 'vgg16' if 'block5_conv1' in network else 'tiny'
  config = ham.get_config(f'{arm},phantom')
  config.model.name = network
  # The blocks of this network: `tiny` has two of them.
  first, *_, last = architectures.BY_NAME[network].blocks
  config.model.trainable = {
      'all': 'all',
      'last_block': last,
      'first_last': f'{first},{last}',
      'head': 'none',
  }[arm]
  config.data.image_size = _SIZE
  config.model.head_units = (16, 16)
  config.optimizer.update(learning_rate=1e-2, weight_decay=0.1, **changes)
  return specs.from_config(config)


@pytest.fixture(
    scope='module',
    params=['tiny', pytest.param('vgg16', marks=pytest.mark.slow)],
)
def params(request: pytest.FixtureRequest) -> dict:
  """Random parameters with a negative zero in every leaf."""
  model = vgg.build(_spec('all', request.param).model, 7)
  values = initialization.initial_params(model, _SIZE, jax.random.key(0), None)
  # -0.0 + 0.0 is 0.0: adding a zero update to it would change its bits.
  return jax.tree.map(lambda leaf: leaf.at[..., 0].set(-0.0), values)


def _task(spec: specs.RunSpec, params: dict) -> task_lib.Task:
  plan = strategy.resolve(spec)
  mask = trainable.mask(params, plan.trained)
  return task_lib.Task(
      model=vgg.build(spec.model, 7),
      mask=mask,
      spec=spec,
      strategy=plan,
      numbers=task_lib.Numbers(
          spec.optimizer.learning_rate, 10, 5, jnp.ones(7)
      ),
  )


def _step(task: task_lib.Task) -> Callable[..., Any]:
  """Compiles a step on pixels; unlike the loop's it keeps the old state."""
  feed = feeds.pixels(
      pixel_sources.of_arrays(),
      task.spec.augment,
      task.spec.model.preprocessing,
  )
  return jax.jit(functools.partial(steps.train_step, task, feed))


def _batch(seed: int) -> tuple:
  rng = np.random.default_rng(seed)
  pixels = rng.integers(0, 256, (_BATCH, *_SIZE, 3), np.uint8)
  return (
      None,
      jnp.asarray(pixels),
      jnp.asarray(rng.integers(0, 7, _BATCH, np.int32)),
      jnp.ones(_BATCH),
      jax.random.key(seed),
  )


@pytest.mark.parametrize(
    'name',
    [
        'sgd',
        pytest.param('momentum', marks=pytest.mark.slow),
        pytest.param('adam', marks=pytest.mark.slow),
        'adamw',
    ],
)
@pytest.mark.parametrize('clip', [0.0, 1.0])
def test_frozen_leaves_stay_bit_equal_and_the_rest_moves(
    params: dict, name: str, clip: float
) -> None:
  """Whatever the optimizer and its decay (see FACTS of optax.masked)."""
  spec = _spec('last_block', params, name=name, gradient_clip=clip)
  task = _task(spec, params)
  step = _step(task)
  state = states.create(params, task.tx)
  for seed in range(3):
    state, _ = step(state, *_batch(seed))
  for layer in task.model.architecture.layers:
    for leaf, before in params[layer].items():
      same = (
          np.asarray(before).tobytes()
          == np.asarray(state.params[layer][leaf]).tobytes()
      )
      assert same != task.mask[layer][leaf], f'{layer}/{leaf}'


@pytest.mark.parametrize('arm', ['last_block', 'first_last', 'head'])
def test_frozen_leaves_have_no_optimizer_state(params: dict, arm: str) -> None:
  """Adam's moments must cover what trains, and nothing else."""
  task = _task(_spec(arm, params, name='adamw'), params)
  moments = sum(
      leaf.size for leaf in jax.tree.leaves(task.tx.init(params)) if leaf.ndim
  )
  trained, _ = trainable.count(params, task.strategy.trained)
  assert moments == 2 * trained


def _flops(params: dict, arm: str) -> float:
  task = _task(_spec(arm, params, name='adamw'), params)
  state = states.create(params, task.tx)
  lowered = _step(task).lower(state, *_batch(0))
  return lowered.compile().cost_analysis()['flops']


def test_the_compiled_step_skips_the_frozen_backward_pass(params: dict) -> None:
  """One stray use of a frozen gradient would double the work unnoticed."""
  everything = _flops(params, 'all')
  # The first of three convolutions of `tiny` is a small part of its work.
  last, head = (0.5, 0.4) if 'block5_conv1' in params else (0.9, 0.5)
  assert _flops(params, 'last_block') < last * everything
  assert _flops(params, 'head') < head * everything


def test_padding_and_class_weights_weigh_as_they_should(params: dict) -> None:
  """A padded row changes nothing; doubled weights double the loss."""
  spec = _spec('head', params, name='sgd')
  spec = dataclasses.replace(
      spec,
      model=dataclasses.replace(spec.model, dropout=0.0),
      augment=specs.AugmentSpec(False, False, False, 0.0, 0.0),
  )
  task = _task(spec, params)
  state, step = states.create(params, task.tx), _step(task)
  _, pixels, labels, weights, key = _batch(0)
  padded = weights.at[3].set(0)
  one, sums = step(state, None, pixels, labels, padded, key)
  other, _ = step(
      state, None, pixels.at[3].set(0), labels.at[3].set(6), padded, key
  )
  assert float(sums['images']) == 3
  jax.tree.map(np.testing.assert_array_equal, one.params, other.params)
  double = dataclasses.replace(
      task, numbers=task.numbers._replace(class_weights=jnp.full(7, 2.0))
  )
  _, doubled = _step(double)(state, None, pixels, labels, padded, key)
  np.testing.assert_allclose(doubled['loss'], 2 * sums['loss'], rtol=1e-6)


def test_label_smoothing_and_loss_against_hand_computation() -> None:
  """Cross-entropy in nats, smoothed as Szegedy et al. (2016) do."""
  logits = jnp.array([[2.0, 0.0, -1.0]])
  log_p = np.log(np.exp(logits[0]) / np.exp(logits[0]).sum())
  plain = steps._losses(logits, jnp.array([0]), 0.0)
  smooth = steps._losses(logits, jnp.array([0]), 0.3)
  np.testing.assert_allclose(plain[0], -log_p[0], rtol=1e-6)
  np.testing.assert_allclose(
      smooth[0], -(0.8 * log_p[0] + 0.1 * log_p[1:].sum()), rtol=1e-6
  )


def test_bfloat16_computes_low_and_keeps_float32_parameters(
    params: dict,
) -> None:
  """Logits and parameters stay float32; results stay close."""
  spec = _spec('all', params)
  half = dataclasses.replace(spec.model, dtype='bfloat16')
  images = jnp.ones((2, *_SIZE, 3)) * 0.3
  full_logits, _ = vgg.build(spec.model, 7).apply({'params': params}, images)
  logits, activations = vgg.build(half, 7).apply({'params': params}, images)
  assert logits.dtype == jnp.float32
  assert activations['block2_conv2'].dtype == jnp.bfloat16
  np.testing.assert_allclose(logits, full_logits, atol=0.05)


def test_activations_have_keras_names_and_shapes() -> None:
  """Figures, probes and Grad-CAM ask for them by name."""
  model = vgg.build(_spec('all', 'vgg16').model, 7)
  images = jnp.zeros((1, *_SIZE, 3))
  _, found = jax.eval_shape(
      lambda x: model.apply(model.init(jax.random.key(0), x), x), images
  )
  assert set(found) == {
      *_VGG16.convolutions,
      *(f'{block}_pool' for block in _VGG16.blocks),
  }
  assert found['block3_conv3'].shape == (1, 8, 8, 256)
  assert found['block5_pool'].shape == (1, 1, 1, 512)
