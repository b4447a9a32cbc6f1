"""A trained network with all that its pixels and its numbers mean.

    run = medxfer.load('runs/last_block')
    run.predict_proba(images)

Here alone a network is rebuilt from the files of a run.
"""

import dataclasses
import functools
import os
import pathlib
from typing import Any

import numpy as np

from medxfer import baselines
from medxfer import cache
from medxfer import console
from medxfer import errors
from medxfer import predictor
from medxfer import startup
from medxfer.data import deep_grey
from medxfer.runs import network as network_lib
from medxfer.runs import value_ranges
from medxfer.runs import workdir
from medxfer.training import compiled


@dataclasses.dataclass(frozen=True, eq=False)
class Classifier(predictor.Predictor):
  """The network of a run's best epoch; see `medxfer.predictor` for images.

  Attributes:
    path: the workdir.
    network: with its weights.
    grey_range: values of deep grey images that are black and white.
  """

  path: pathlib.Path
  network: network_lib.Network
  grey_range: deep_grey.Range | None = None

  def __repr__(self) -> str:
    return (
        f'<{self.architecture.title} of {self.path}: '
        f'{", ".join(self.class_names)}>'
    )

  @functools.cached_property
  def summary(self) -> dict[str, Any]:
    """The content of the run's summary.json: its scores with intervals."""
    return workdir.Workdir(self.path).summary()

  @property
  def members(self) -> tuple['Classifier', ...]:
    """What is averaged: this one alone; see `medxfer.ensemble`."""
    return (self,)

  def activations(self, images: Any, layer: str) -> np.ndarray:
    """Returns what a layer makes of images, float32 [n, h, w, channels].

    Args:
      images: see the class.
      layer: a convolution or a pooling, such as 'block4_pool'.

    Raises:
      UsageError: the layer does not exist.

    Example:
      >>> run.activations(images, 'block1_pool').shape
      (3, 16, 16, 8)
    """
    found = [
        self.network.activations(pixels, layer)
        for pixels in self._batches(images)
    ]
    if not found:
      raise errors.UsageError('images: there are none')
    return np.concatenate(found)

  def export(
      self, path: str | os.PathLike[str], *, overwrite: bool = False
  ) -> None:
    """Writes the whole network as one file for another library.

    Args:
      path: a file that ends in .keras (Keras), .onnx (ONNX Runtime) or
        .stablehlo (`jax.export`); see `medxfer.export`.
      overwrite: replace the file if it exists.

    Raises:
      UsageError: the format is unknown, or the file exists.
      DataError: the library of the format is not installed, or the disk is
        full.
    """
    from medxfer import export

    if self.spec.evaluation.test_time_views:
      console.line(
          f'note: {path} scores an image once; the run averages its views '
          '(evaluation.test_time_views)'
      )
    export.export(
        export.ExportedNetwork(
            spec=self.spec.model,
            params=self.network.weights.params,
            image_size=self.image_size,
            class_names=self.class_names,
            source=self.network.weights.contract.source,
        ),
        pathlib.Path(path),
        overwrite=overwrite,
    )


def load(path: str | os.PathLike[str]) -> Classifier:
  """Returns the network of a run.

  Args:
    path: its workdir.

  Raises:
    DataError: the folder is no workdir, or its checkpoint is damaged.
    UsageError: the run is a tree or a forest, which keep no weights.
  """
  startup.quieten()
  path = pathlib.Path(path)
  folder = workdir.Workdir(path)
  spec = folder.spec()
  if spec.model.name in baselines.NAMES:
    took = folder.summary()['train_seconds'] if folder.is_finished else 0
    raise errors.UsageError(
        f'{path}: a {spec.model.name} keeps no checkpoint to score images '
        f'with; {workdir.predictions_name("test")} there holds all that it has '
        'scored, and its command in environment.json trains it again in '
        f'{took:.0f} s'
    )
  compiled.keep(cache.folder(spec.cache_dir))
  return Classifier(
      path,
      network_lib.of_workdir(folder, spec),
      value_ranges.of_workdir(path, spec),
  )
