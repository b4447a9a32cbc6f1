"""What trained networks do with images: one network, or several as one."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
import os
import pathlib
from typing import Any
from typing import TYPE_CHECKING
import warnings

import jax
import numpy as np

from medxfer import errors
from medxfer import spec as specs
from medxfer.data import arrays
from medxfer.data import bit_depth
from medxfer.data import deep_grey
from medxfer.model import architectures
from medxfer.runs import network as network_lib

if TYPE_CHECKING:
  from medxfer import classifier


class Predictor:
  """A network, or several of them as one; see `classifier` and `ensemble`.

  Images are one image or a sequence of them: paths, the bytes of files, open
  binary files, Pillow images, or arrays: [height, width, 3] (RGB), 4 (RGBA) or
  [height, width] (grey) of any size, or a batch [n, ...] of them; see
  `medxfer.data.arrays.rgb`. A wrong image raises `errors.UsageError` or
  `errors.DataError`, which are ValueErrors.

  Attributes:
    network: with its weights.
    grey_range: values of deep grey images that are black and white.
    members: the classifiers that are averaged; of one network itself alone.
  """

  network: network_lib.Network | network_lib.Average
  grey_range: deep_grey.Range | None
  members: tuple[classifier.Classifier, ...]

  @property
  def spec(self) -> specs.RunSpec:
    """What the run was asked for."""
    return self.network.spec

  @property
  def class_names(self) -> tuple[str, ...]:
    """The classes, in the order of the columns of `predict_proba`."""
    return self.network.class_names

  @property
  def image_size(self) -> tuple[int, int]:
    """(height, width) in pixels; images of other sizes are resized to it."""
    return self.spec.data.image_size

  @property
  def architecture(self) -> architectures.Architecture:
    """Names and shapes of the network's layers."""
    return architectures.BY_NAME[self.spec.model.name]

  def predict_proba(self, images: Any) -> np.ndarray:
    """Returns the probability of each class, float32 [n, classes].

    Args:
      images: see the class.

    Example:
      >>> run.predict_proba(images).shape == (3, len(run.class_names))
      True
    """
    return self.scores(images).probabilities

  def scores(self, images: Any) -> network_lib.Scores:
    """Returns probabilities, and how unlike the training images images are.

    Args:
      images: see the class.

    Example:
      >>> run.scores(images).unlike_training.max() <= 100
      True
    """
    found = [self.network.scores(pixels) for pixels in self._batches(images)]
    nothing = np.empty((0, len(self.class_names)), np.float32)
    unlike = [
        one.unlike_training for one in found if one.unlike_training is not None
    ]
    return network_lib.Scores(
        np.concatenate([nothing, *(one.probabilities for one in found)]),
        np.concatenate([np.empty(0), *unlike])
        if len(unlike) == len(found)
        else None,
    )

  def predict(self, images: Any) -> np.ndarray:
    """Returns the name of the most probable class of each image, str [n].

    Args:
      images: see the class.
    """
    return np.array(self.class_names)[self.predict_proba(images).argmax(1)]

  def explain(
      self,
      images: Any,
      *,
      classes: Sequence[str] | str | None = None,
      layer: str | None = None,
  ) -> np.ndarray:
    """Maps where the evidence for a class lies (Grad-CAM).

    Args:
      images: see the class.
      classes: the class to explain, one for all images or one each; the
        predicted one by default.
      layer: a convolution; by default the deepest one whose map still tells
        places apart.

    Returns:
      float32 [n, height, width] of `image_size`, in [0, 1]; brightest is 1, or
      0 everywhere where nothing speaks for the class.

    Raises:
      UsageError: a class or the layer does not exist.

    Example:
      >>> run.explain(images, classes='mel').shape == (3, *run.image_size)
      True
    """
    wanted = network_lib.columns(classes, self.class_names)
    heats, done = [], 0
    for pixels in self._batches(images):
      n = len(pixels)
      columns = (
          self.network.scores(pixels).probabilities.argmax(1)
          if wanted is None
          else np.resize(wanted, done + n)[done:]
      )
      heat = self.network.heat(pixels, columns, layer)
      heats.append(
          np.asarray(jax.image.resize(heat, (n, *self.image_size), 'linear'))
      )
      done += n
    if wanted is not None and len(wanted) not in (1, done):
      raise errors.UsageError(
          f'classes: {len(wanted)} for {done} images; give one for all, or one '
          'for each'
      )
    return np.concatenate([np.empty((0, *self.image_size), np.float32), *heats])

  def evaluate(
      self,
      source: str | os.PathLike[str] | None = None,
      *,
      groups: str | os.PathLike[str] | None = None,
      **options: Any,
  ) -> dict[str, Any]:
    """Scores images with known classes.

    Args:
      source: images from elsewhere: a folder that holds a folder for each
        class, or a CSV file image,label[,group]. None for the test images of
        the run, read where the run read them.
      groups: of a folder, a CSV file image,group.
      **options: see `external.validation.validate`.

    Returns:
      For the test images accuracy, macro F1, AUROC, calibration and more, each
      with its interval (see `evaluation.summary.split_summary`). For images
      from elsewhere these are `scores`, and `comparison` says how they differ
      from the test images and why; RUN/external/NAME/ keeps them, of an
      average a folder `output`. An average has the test images of all its
      members, each image by those that did not learn from it.

    Raises:
      DataError: images are missing, damaged, or not those of the run; or a
        class is none of the network.
    """
    from medxfer.external import validation
    from medxfer.runs import evaluate

    if source is None:
      return evaluate.evaluate([one.path for one in self.members], 'test')
    return validation.validate(
        self,
        pathlib.Path(source),
        groups=pathlib.Path(groups) if groups else None,
        **options,
    )

  def pixels_of(
      self, image: Any, name: str, notice: arrays.Notice | None = None
  ) -> np.ndarray:
    """Reads one image as training read it: uint8 [height, width, 3].

    Args:
      image: see the class.
      name: what messages call it.
      notice: called with a deep grey image.
    """
    return arrays.sized(image, name, self.image_size, self.grey_range, notice)

  def _batches(self, images: Any) -> Iterator[np.ndarray]:
    return arrays.batches(
        images,
        self.network.batch_size,
        self.image_size,
        self.grey_range,
        self._notice,
    )

  def _notice(self, name: str, grey: deep_grey.Grey) -> None:
    if text := bit_depth.noticed(grey, self.grey_range):
      warnings.warn(f'{name}: {text}', stacklevel=2)
