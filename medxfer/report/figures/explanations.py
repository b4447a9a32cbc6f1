"""Draws figure 8.1 and Grad-CAM: needs JAX, checkpoints and images."""

from collections.abc import Sequence

import numpy as np

from medxfer import classifier
from medxfer import errors
from medxfer.data import datasets
from medxfer.explain import activation_maps
from medxfer.explain import gradcam
from medxfer.explain import pictures as painting
from medxfer.report.figures import pictures
from medxfer.report.read import finished_run
from medxfer.report.read import settings as settings_lib
from medxfer.report.read import titles

# Between a probability now and in the table: another device, another order of
# sums. Another image is farther away.
_TOLERANCE = 0.02


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
  run = column.first.single
  trained = classifier.load(run.path)
  right, wrong = pictures.cases(run)
  rows = [*right, *wrong]
  pixels = _pixels(run, trained, rows)
  _check_same(run, trained, rows, pixels)
  slug = titles.slug(titles.dataset_title(setting.dataset))
  title = titles.dataset_title(setting.dataset)
  drawn = []
  if right and setting.random:
    networks = {
        column.title: trained,
        setting.random.title: classifier.load(setting.random.first.path),
    }
    drawn.append(_activations(title, slug, networks, run, rows[0], pixels[0]))
  layer = gradcam.layer_for(trained.architecture, trained.image_size)
  tiles = _maps(run, trained, layer, rows, pixels)
  for kind, part in (
      ('right', tiles[: len(right)]),
      ('wrong', tiles[len(right) :]),
  ):
    if part:
      drawn.append(
          pictures.Picture(
              f'gradcam_{slug}_{kind}',
              f'Grad-CAM, {kind}: {title}',
              f'{_SAID[kind]} ({layer}). {column.title}, {setting.title}.',
              tuple(part),
          )
      )
  return drawn


_SAID = {
    'right': 'The surest right prediction of each of the most frequent '
    'classes; bright is where the evidence for the predicted class '
    'lies',
    'wrong': 'The surest mistakes; bright is where the evidence for the '
    'predicted, wrong class lies',
}


def _pixels(
    run: finished_run.Run, trained: classifier.Classifier, rows: Sequence[int]
) -> np.ndarray:
  """Reads test images where the run read them: uint8 [n, h, w, 3]."""
  examples = datasets.read(run.spec.data)
  places = {name: i for i, name in enumerate(examples.image_ids)}
  found = []
  for row in rows:
    name = run.predictions.image_ids[row]
    if name not in places:
      raise errors.DataError(f'image {name!r} is no longer in the data set')
    found.append(trained.pixels_of(examples.paths[places[name]], name))
  return np.stack(found)


def _check_same(
    run: finished_run.Run,
    trained: classifier.Classifier,
    rows: Sequence[int],
    pixels: np.ndarray,
) -> None:
  """Refuses images that the network does not score as it once did."""
  now = trained.network.scores(pixels).probabilities
  then = run.predictions.probabilities[list(rows)]
  far = np.abs(now - then).max(axis=1) > _TOLERANCE
  if far.any():
    name = run.predictions.image_ids[rows[int(far.argmax())]]
    raise errors.DataError(
        f'image {name!r} is not the one that {run.name} has scored'
    )


def _maps(
    run: finished_run.Run,
    trained: classifier.Classifier,
    layer: str,
    rows: Sequence[int],
    pixels: np.ndarray,
) -> list[pictures.Tile]:
  """Returns each image beside the evidence for its prediction."""
  scored = run.predictions
  heats = trained.network.heat(pixels, scored.predicted[list(rows)], layer)
  tiles = []
  for row, image, heat in zip(rows, pixels, heats):
    name = scored.class_names[scored.predicted[row]]
    truth = scored.class_names[scored.labels[row]]
    sure = scored.probabilities[row].max()
    said = name if name == truth else f'{name}, in truth {truth}'
    large = painting.enlarged(image)
    tiles.append(
        pictures.Tile(
            np.concatenate([large, painting.overlay(large, heat)], axis=1),
            f'{said} ({sure:.2f})',
            f'Image {scored.image_ids[row]}, and the same with its Grad-CAM: '
            f'predicted {said}, probability {sure:.2f}.',
        )
    )
  return tiles


def _activations(
    title: str,
    slug: str,
    networks: dict[str, classifier.Classifier],
    run: finished_run.Run,
    row: int,
    pixels: np.ndarray,
) -> pictures.Picture:
  """Returns figure 8.1: an image and the mean of its first activations."""
  large = painting.enlarged(pixels)
  scored = run.predictions
  truth = scored.class_names[scored.labels[row]]
  tiles = [
      pictures.Tile(
          large,
          f'Image, {truth}',
          f'Test image {scored.image_ids[row]}, {truth}.',
      )
  ]
  first = next(iter(networks.values())).architecture.convolutions[0]
  for name, network in networks.items():
    [activation] = network.network.activations(pixels[None], first)
    heat = painting.stretched(activation_maps.mean_map(activation))
    tiles.append(
        pictures.Tile(
            painting.coloured(heat, large.shape[:2]),
            name,
            f'Mean activation of {first}: {name}.',
        )
    )
  return pictures.Picture(
      f'figure_8_1_{slug}',
      f'Figure 8.1: first-layer activations, {title}',
      f'What {first} makes of the surest right test image after training: '
      'mean over its channels, each picture from its own smallest (dark) to '
      'its own largest value (bright).',
      tuple(tiles),
  )
