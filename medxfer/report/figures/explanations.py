"""Draws figure 8.1 and Grad-CAM: needs JAX, checkpoints and images."""

from collections.abc import Sequence
import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np

from medxfer import errors
from medxfer.data import datasets
from medxfer.data import images
from medxfer.data import pipeline
from medxfer.explain import activation_maps
from medxfer.explain import gradcam
from medxfer.explain import pictures as painting
from medxfer.model import preprocessing
from medxfer.model import vgg
from medxfer.model import weights as weights_lib
from medxfer.report.figures import pictures
from medxfer.report.read import finished_run
from medxfer.report.read import settings as settings_lib
from medxfer.runs import value_ranges
from medxfer.training import checkpoints

# Between a probability now and in the table: another device, another order of
# sums. Another image is farther away.
_TOLERANCE = 0.02


@dataclasses.dataclass(frozen=True, eq=False)
class _Network:
  """A run's network with its best weights."""

  run: finished_run.Run
  weights: weights_lib.Weights

  @functools.cached_property
  def model(self) -> vgg.VGG:
    return vgg.build(self.run.spec.model, len(self.weights.contract.classes))

  def prepared(self, pixels: np.ndarray) -> jax.Array:
    """Returns uint8 images as the network takes them."""
    return preprocessing.preprocess(
        jnp.asarray(pixels), self.weights.contract.preprocessing)


def draw(
    setting: settings_lib.Setting, column: settings_lib.Column
) -> list[pictures.Picture]:
  """Draws Grad-CAM of a column and figure 8.1 of a setting.

  Args:
    setting: whose random arm, if it has one, is shown beside the column.
    column: the network to explain.

  Raises:
    DataError: a checkpoint is damaged, or the images are gone or others.
    UsageError: the data set cannot be read.
  """
  network = _load(column.first)
  right, wrong = pictures.cases(column.first)
  rows = [*right, *wrong]
  pixels = _pixels(column.first, rows)
  _check_same(network, rows, pixels)
  slug = settings_lib.slug(settings_lib.dataset_title(setting.dataset))
  title = settings_lib.dataset_title(setting.dataset)
  drawn = []
  if right and setting.random:
    drawn.append(_activations(
        title, slug, {column.title: network,
                      setting.random.title: _load(setting.random.first)},
        rows[0], pixels[0]))
  layer = gradcam.layer_for(
      network.model.architecture, column.first.spec.data.image_size)
  tiles = _maps(network, layer, rows, pixels)
  for kind, part in (('right', tiles[:len(right)]),
                     ('wrong', tiles[len(right):])):
    if part:
      drawn.append(pictures.Picture(
          f'gradcam_{slug}_{kind}', f'Grad-CAM, {kind}: {title}',
          f'{_SAID[kind]} ({layer}). {column.title}, {setting.title}.',
          tuple(part)))
  return drawn


_SAID = {
    'right': 'The surest right prediction of each of the most frequent '
             'classes; bright is where the evidence for the predicted class '
             'lies',
    'wrong': 'The surest mistakes; bright is where the evidence for the '
             'predicted, wrong class lies',
}


def _load(run: finished_run.Run) -> _Network:
  return _Network(run, checkpoints.export(run.path))


def _pixels(run: finished_run.Run, rows: Sequence[int]) -> np.ndarray:
  """Reads test images where the run read them: uint8 [n, h, w, 3]."""
  examples = datasets.read(run.spec.data)
  places = {name: i for i, name in enumerate(examples.image_ids)}
  found = []
  for row in rows:
    name = run.predictions.image_ids[row]
    if name not in places:
      raise errors.DataError(f'image {name!r} is no longer in the data set')
    found.append(pipeline.resize(
        images.read_rgb(
            examples.paths[places[name]],
            grey_range=value_ranges.of_workdir(run.path, run.spec)),
        run.spec.data.image_size))
  return np.stack(found)


def _check_same(
    network: _Network, rows: Sequence[int], pixels: np.ndarray
) -> None:
  """Refuses images that the network does not score as it once did."""
  logits, _ = jax.jit(network.model.apply)(
      {'params': network.weights.params}, network.prepared(pixels))
  now = np.asarray(jax.nn.softmax(logits))
  then = network.run.predictions.probabilities[list(rows)]
  far = np.abs(now - then).max(axis=1) > _TOLERANCE
  if far.any():
    name = network.run.predictions.image_ids[rows[int(far.argmax())]]
    raise errors.DataError(
        f'image {name!r} is not the one that {network.run.name} has scored')


def _maps(
    network: _Network, layer: str, rows: Sequence[int], pixels: np.ndarray
) -> list[pictures.Tile]:
  """Returns each image beside the evidence for its prediction."""
  scored = network.run.predictions
  predicted = scored.predicted[list(rows)]
  heats = np.asarray(gradcam.compile_gradcam(network.model, layer)(
      network.weights.params, network.prepared(pixels), jnp.asarray(predicted)))
  tiles = []
  for row, image, heat in zip(rows, pixels, heats):
    name = scored.class_names[scored.predicted[row]]
    truth = scored.class_names[scored.labels[row]]
    sure = scored.probabilities[row].max()
    said = name if name == truth else f'{name}, in truth {truth}'
    large = painting.enlarged(image)
    tiles.append(pictures.Tile(
        np.concatenate([large, painting.overlay(large, heat)], axis=1),
        f'{said} ({sure:.2f})',
        f'Image {scored.image_ids[row]}, and the same with its Grad-CAM: '
        f'predicted {said}, probability {sure:.2f}.'))
  return tiles


def _activations(
    title: str,
    slug: str,
    networks: dict[str, _Network],
    row: int,
    pixels: np.ndarray,
) -> pictures.Picture:
  """Returns figure 8.1: an image and the mean of its first activations."""
  large = painting.enlarged(pixels)
  scored = next(iter(networks.values())).run.predictions
  truth = scored.class_names[scored.labels[row]]
  tiles = [pictures.Tile(large, f'Image, {truth}',
                          f'Test image {scored.image_ids[row]}, {truth}.')]
  first = next(iter(networks.values())).model.architecture.convolutions[0]
  for name, network in networks.items():
    activation = np.asarray(
        activation_maps.compile_activations(network.model, first)(
            network.weights.params, network.prepared(pixels[None])))[0]
    heat = painting.stretched(activation_maps.mean_map(activation))
    tiles.append(pictures.Tile(
        painting.coloured(heat, large.shape[:2]), name,
        f'Mean activation of {first}: {name}.'))
  return pictures.Picture(
      f'figure_8_1_{slug}', f'Figure 8.1: first-layer activations, {title}',
      f'What {first} makes of the surest right test image after training: '
      'mean over its channels, each picture from its own smallest (dark) to '
      'its own largest value (bright).', tuple(tiles))
