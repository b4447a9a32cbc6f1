"""A trained network: batches of pixels in, probabilities and maps out.

Built in one place from the files of a run: `medxfer.classifier.load`.
"""

from collections.abc import Callable
from collections.abc import Sequence
import dataclasses
import functools
from typing import Any
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from medxfer import errors
from medxfer import spec as specs
from medxfer.data import pixel_sources
from medxfer.evaluation import neighbours
from medxfer.explain import activation_maps
from medxfer.explain import gradcam
from medxfer.model import architectures
from medxfer.model import preprocessing
from medxfer.model import vgg
from medxfer.model import weights as weights_lib
from medxfer.runs import calibrated
from medxfer.runs import scoring
from medxfer.runs import workdir
from medxfer.training import checkpoints
from medxfer.training import feeds
from medxfer.training import memory
from medxfer.training import steps


class Scores(NamedTuple):
  """What a network says of n images.

  Attributes:
    probabilities: float32 [n, classes].
    unlike_training: float64 [n], see `neighbours.Reference.percentiles`; None
      if the run keeps no features of its training images.
  """

  probabilities: np.ndarray
  unlike_training: np.ndarray | None


@dataclasses.dataclass(frozen=True, eq=False)
class Network:
  """A network with its weights, for images of the size of its run.

  Attributes:
    spec: of the run.
    weights: parameters, class names, preprocessing.
    reference: what tells how unlike the training images others are, or None.
  """

  spec: specs.RunSpec
  weights: weights_lib.Weights
  reference: neighbours.Reference | None = None

  @functools.cached_property
  def model(self) -> vgg.VGG:
    """The network, without its parameters."""
    return vgg.build(self.spec.model, len(self.weights.contract.classes))

  @functools.cached_property
  def params(self) -> Any:
    """The parameters on the device: layer -> leaf -> float32 array."""
    return jax.tree.map(jnp.asarray, self.weights.params)

  @property
  def class_names(self) -> tuple[str, ...]:
    """The classes, in the order of the columns of its probabilities."""
    return self.weights.contract.classes

  @property
  def batch_size(self) -> int:
    """How many images are scored together at most."""
    return memory.images_at_once(
        self.spec.data.image_size, self.spec.evaluation.batch_size
    )

  def scores(self, pixels: np.ndarray) -> Scores:
    """Scores a batch of images.

    Args:
      pixels: uint8 [n, height, width, 3] of the run's image size.
    """
    padded, n = self._padded(pixels)
    found = self._score(self.params, None, padded)
    return Scores(
        np.asarray(jax.nn.softmax(found.logits))[:n],
        self.reference.percentiles(np.asarray(found.features)[:n])
        if self.reference
        else None,
    )

  def heat(
      self, pixels: np.ndarray, columns: np.ndarray, layer: str | None = None
  ) -> np.ndarray:
    """Maps the evidence for one class of each image, at a layer's size.

    Args:
      pixels: uint8 [n, height, width, 3] of the run's image size.
      columns: int [n], the class to explain.
      layer: a convolution; None is the deepest one whose map still tells
        places apart.

    Returns:
      float32 [n, h, w], see `gradcam.gradcam`.
    """
    padded, n = self._padded(pixels)
    layer = layer or gradcam.layer_for(
        self.model.architecture, self.spec.data.image_size
    )
    maps = self._gradcam(layer)(
        self.params,
        self._prepared(padded),
        jnp.asarray(np.pad(columns, (0, len(padded) - n))),
    )
    return np.asarray(maps)[:n]

  def activations(self, pixels: np.ndarray, layer: str) -> np.ndarray:
    """Returns the activations of a layer, float32 [n, h, w, channels].

    Args:
      pixels: uint8 [n, height, width, 3] of the run's image size.
      layer: a convolution or a pooling.
    """
    padded, n = self._padded(pixels)
    activate = self._activate(layer)
    return np.asarray(activate(self.params, self._prepared(padded)))[:n]

  def _padded(self, pixels: np.ndarray) -> tuple[np.ndarray, int]:
    """Pads a batch to a power of two: few sizes are few compilations."""
    n = len(pixels)
    size = max(n, min(1 << (n - 1).bit_length(), self.batch_size))
    return np.pad(pixels, [(0, size - n), (0, 0), (0, 0), (0, 0)]), n

  def _prepared(self, pixels: np.ndarray) -> jax.Array:
    return preprocessing.preprocess(
        jnp.asarray(pixels), self.weights.contract.preprocessing
    )

  @functools.cached_property
  def _score(self) -> Any:
    return steps.compile_score(
        self.model,
        feeds.pixels(
            pixel_sources.of_arrays(),
            self.spec.augment,
            self.weights.contract.preprocessing,
        ),
        scoring.views(self.spec),
    )

  @functools.cached_property
  def _gradcam(self) -> Callable[[str], gradcam.Maps]:
    return functools.cache(
        functools.partial(gradcam.compile_gradcam, self.model)
    )

  @functools.cached_property
  def _activate(self) -> Callable[[str], activation_maps.Activate]:
    return functools.cache(
        functools.partial(activation_maps.compile_activations, self.model)
    )


@dataclasses.dataclass(frozen=True, eq=False)
class Average:
  """Networks of the same classes and image size as one.

  Attributes:
    networks: two or more.
  """

  networks: tuple[Network, ...]

  @property
  def spec(self) -> specs.RunSpec:
    """Of the first of them."""
    return self.networks[0].spec

  @property
  def class_names(self) -> tuple[str, ...]:
    """The classes of each of them."""
    return self.networks[0].class_names

  @property
  def batch_size(self) -> int:
    """How many images are scored together at most."""
    return min(network.batch_size for network in self.networks)

  def scores(self, pixels: np.ndarray) -> Scores:
    """Returns the mean of their probabilities, the median of percentiles.

    Args:
      pixels: uint8 [n, height, width, 3].
    """
    found = [network.scores(pixels) for network in self.networks]
    unlike = [
        one.unlike_training for one in found if one.unlike_training is not None
    ]
    return Scores(
        np.mean([one.probabilities for one in found], axis=0),
        np.median(unlike, axis=0) if len(unlike) == len(found) else None,
    )

  def heat(
      self, pixels: np.ndarray, columns: np.ndarray, layer: str | None = None
  ) -> np.ndarray:
    """Returns the mean of their maps; arguments as of `Network.heat`.

    Raises:
      UsageError: their architectures differ, and so may the layers.
    """
    if len({network.spec.model.name for network in self.networks}) > 1:
      raise errors.UsageError(
          'maps of networks of different architectures cannot be averaged: '
          'explain each run alone'
      )
    maps = [network.heat(pixels, columns, layer) for network in self.networks]
    mean = np.mean(maps, axis=0)
    brightest = mean.max((1, 2), keepdims=True)
    return mean / np.where(brightest > 0, brightest, 1)


def of_workdir(folder: workdir.Workdir, spec: specs.RunSpec) -> Network:
  """Returns the network of a run's best epoch.

  Args:
    folder: of the run; if that is finished, its calibration is part of the
      network.
    spec: of the run.

  Raises:
    DataError: the checkpoint is damaged, or the reference is of another run.
  """
  weights = checkpoints.export(folder.path)
  if folder.is_finished:
    classes = weights.contract.classes
    fitted = calibrated.of_summary(folder.summary(), classes)
    params = calibrated.fold(weights.params, spec.model, fitted)
    weights = dataclasses.replace(weights, params=params)
  reference = folder.reference()
  architecture = architectures.BY_NAME[spec.model.name]
  channels = architecture.channels[architecture.convolutions[-1]]
  if reference and reference.train.shape[1] != channels:
    raise errors.DataError(
        f'{folder.path}: its features of training images are of another '
        'network; restore reference.safetensors, or remove it to go without '
        'unlike_training'
    )
  return Network(spec, weights, reference)


def columns(
    classes: Sequence[str] | str | None, class_names: Sequence[str]
) -> np.ndarray | None:
  """Returns the columns of classes, int [n]; None of None.

  Raises:
    UsageError: one does not exist, or there is none.
  """
  if classes is None:
    return None
  names = [classes] if isinstance(classes, str) else classes
  if not isinstance(names, (list, tuple, np.ndarray)) or not len(names):
    raise errors.UsageError(f'classes: {classes!r} names no class')
  for name in names:
    if name not in class_names:
      raise errors.UsageError(
          f'classes: {name!r} is none of {", ".join(class_names)}'
      )
  return np.array([class_names.index(name) for name in names])
