"""A trained network: batches of pixels in, probabilities and maps out.

Built in one place from the files of a run: `medxfer.classifier.load`.
"""

from collections.abc import Callable
from collections.abc import Sequence
import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from medxfer import errors
from medxfer import spec as specs
from medxfer.data import pixel_sources
from medxfer.explain import activation_maps
from medxfer.explain import gradcam
from medxfer.model import preprocessing
from medxfer.model import vgg
from medxfer.model import weights as weights_lib
from medxfer.runs import calibrated
from medxfer.runs import workdir
from medxfer.training import checkpoints
from medxfer.training import feeds
from medxfer.training import memory
from medxfer.training import steps


@dataclasses.dataclass(frozen=True, eq=False)
class Network:
  """A network with its weights, for images of the size of its run.

  Attributes:
    spec: of the run.
    weights: parameters, class names, preprocessing.
  """

  spec: specs.RunSpec
  weights: weights_lib.Weights

  @functools.cached_property
  def model(self) -> vgg.VGG:
    """The network, without its parameters."""
    return vgg.build(self.spec.model, len(self.weights.contract.classes))

  @functools.cached_property
  def params(self) -> Any:
    """The parameters on the device: layer -> leaf -> float32 array."""
    return jax.tree.map(jnp.asarray, self.weights.params)

  @property
  def batch_size(self) -> int:
    """How many images are scored together at most."""
    return memory.images_at_once(
        self.spec.data.image_size, self.spec.evaluation.batch_size
    )

  def probabilities(self, pixels: np.ndarray) -> np.ndarray:
    """Returns the probability of each class, float32 [n, classes].

    Args:
      pixels: uint8 [n, height, width, 3] of the run's image size.
    """
    padded, n = self._padded(pixels)
    return np.asarray(jax.nn.softmax(self._score(self.params, None, padded)))[
        :n
    ]

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
    return steps.compile_predict(
        self.model,
        feeds.pixels(
            pixel_sources.of_arrays(),
            self.spec.augment,
            self.weights.contract.preprocessing,
        ),
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


def of_workdir(folder: workdir.Workdir, spec: specs.RunSpec) -> Network:
  """Returns the network of a run's best epoch.

  Args:
    folder: of the run; if that is finished, its calibration is part of the
      network.
    spec: of the run.

  Raises:
    DataError: the checkpoint is damaged.
  """
  weights = checkpoints.export(folder.path)
  if folder.is_finished:
    classes = weights.contract.classes
    fitted = calibrated.of_summary(folder.summary(), classes)
    params = calibrated.fold(weights.params, spec.model, fitted)
    weights = dataclasses.replace(weights, params=params)
  return Network(spec, weights)


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
