"""Protects from a disk that fills up in the night."""

import pathlib

import jax
import jax.numpy as jnp
import pytest

from medxfer import spec as specs
from medxfer.model import architectures
from medxfer.model import operations
from medxfer.model import vgg
from medxfer.study import disk
from tests import tiny


@pytest.mark.parametrize('name', architectures.BY_NAME)
def test_parameters_and_activations_are_those_of_the_network(name: str) -> None:
  """Counted without JAX, and found by it."""
  architecture = architectures.BY_NAME[name]
  model = vgg.VGG(architecture, 7, head_units=(16, 8))
  pixels = jnp.zeros((1, 48, 64, 3))

  def both(pixels: jax.Array) -> tuple:
    params = model.init(jax.random.key(0), pixels)['params']
    return params, vgg.forward(model, params, pixels)[1]

  params, found = jax.eval_shape(both, pixels)
  assert operations.parameters(architecture, (48, 64), (16, 8), 7) == sum(
      leaf.size for leaf in jax.tree.leaves(params)
  )
  assert operations.activations(architecture, (48, 64)) == {
      layer: one.size for layer, one in found.items()
  }


def test_what_is_shared_counts_once(
    phantoms: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """Networks by their number; frozen layers once for all rates and seeds."""

  def spec(seed: int, trainable: str, start: str) -> specs.RunSpec:
    config = tiny.config(phantoms)
    config.update(seed=seed, cache_dir=str(tmp_path))
    config.augment.update(zoom=0.0, brightness=0.0)
    config.training.epochs = 8
    config.model.update(trainable=trainable, init_from=start)
    return specs.from_config(config)

  one = spec(0, 'block2', 'imagenet')
  network = operations.parameters(
      architectures.BY_NAME['tiny'], (32, 32), (16, 16), 7
  )
  features = operations.activations(architectures.BY_NAME['tiny'], (32, 32))
  views = 50 * 8 * features['block1_pool'] * 4
  for networks, others, count, made in (
      ([one], [], 1, 1),
      ([one, spec(1, 'block2', 'imagenet')], [], 2, 1),
      ([one], [spec(1, 'block2', 'imagenet')], 1, 1),
      ([one, spec(1, 'block2', 'random')], [], 2, 2),
      ([spec(0, 'all', 'imagenet')], [], 1, 0),
  ):
    disk.announce(networks, others, tmp_path / 'study')
    said = capsys.readouterr().out
    assert f'up to {disk.cache_upkeep.size(count * 4 * network)} of net' in said
    assert ('frozen layers' in said) == bool(made)
    assert not made or disk.cache_upkeep.size(made * views) in said
