"""Decision tree and random forest on pixels (section 6.1 of the thesis).

The thesis tried the pixel values as they are, normalized to [0, 1] and
rescaled to [-1, 1], and found the first to do best. A tree only asks whether a
value lies above another one, so the three give the same tree: every split
takes the same feature and parts the training images in the same way. Only a
new image whose value lies exactly on a threshold, in the middle of two values
of training images, may go the other way by rounding.
"""

from collections.abc import Mapping
import dataclasses
import math
import os
import time
from typing import Any

import numpy as np
import psutil

from medxfer import console
from medxfer import errors
from medxfer import progress
from medxfer import spec as specs
from medxfer import spec_rules

NAMES = spec_rules.TREES
# Of uint8 values: factor and offset, in float32.
_PIXELS: Mapping[str, tuple[float, float]] = {
    'raw': (1.0, 0.0),
    'normalized': (1 / 255, 0.0),
    'rescaled': (1 / 127.5, -1.0),
}
_SHARE_OF_MEMORY = 0.5
_CHUNK = 256  # Images that are scored at a time.
# So many features of all images take seconds; a tree of so small a part of the
# images tells how many.
_LARGE, _PART = 10_000_000, 16
_ROUNDS = 10  # Of a forest that grows; each looks at all features once more.


@dataclasses.dataclass(frozen=True, eq=False)
class Fitted:
  """A classifier that has seen its training images.

  Attributes:
    classifier: of scikit-learn.
    pixels: the form of the pixels that it takes.
    classes: number of classes k, also those that were not trained.
  """

  classifier: Any
  pixels: str
  classes: int


def check_memory(images: int, image_size: tuple[int, int]) -> None:
  """Refuses images that would fill the memory.

  Args:
    images: how many are trained.
    image_size: (height, width) in pixels.

  Raises:
    UsageError: as float32, which scikit-learn computes with, they take more
      than half of the memory that is free.
  """
  need = images * values(image_size) * np.dtype(np.float32).itemsize
  free = psutil.virtual_memory().available
  if need > _SHARE_OF_MEMORY * free:
    height, width = image_size
    raise errors.UsageError(
        f'data.image_size={height},{width}: {images:,} images of so many '
        f'pixels take {need / 2**30:,.1f} GiB as numbers of a tree, more than '
        f'half of the {free / 2**30:,.1f} GiB that are free; give a smaller '
        'one, such as 64,64'
    )


def values(image_size: tuple[int, int]) -> int:
  """Returns the number of features of an image."""
  height, width = image_size
  return height * width * 3


def fit(
    spec: specs.RunSpec,
    pixels: np.ndarray,
    labels: np.ndarray,
    class_weights: np.ndarray,
) -> Fitted:
  """Trains the classifier that a specification names, on all cores.

  The seed alone decides the result, not the number of cores.

  Args:
    spec: `model.name`, `baseline` and `seed` are used.
    pixels: uint8 [n, height, width, 3].
    labels: int [n], each in [0, k).
    class_weights: float [k], how much an image of each class counts.

  Raises:
    UsageError: the images would fill the memory.
  """
  from sklearn import ensemble  # Slow to import; networks need neither.
  from sklearn import tree

  check_memory(len(pixels), pixels.shape[1:3])
  weighted = bool((class_weights != 1).any())
  chosen: dict[str, Any] = {
      'random_state': spec.seed,
      # None, not ones: given weights, a forest draws its images by them, and
      # from the same seed others.
      'class_weight': dict(enumerate(class_weights.tolist()))
      if weighted
      else None,
  }
  features = _features(pixels, spec.baseline.pixels)
  if spec.model.name == 'decision_tree':
    classifier = tree.DecisionTreeClassifier(**chosen)
    _say_how_long(classifier, features, labels)
    classifier.fit(features, labels)
  else:
    count = spec.baseline.trees
    classifier = ensemble.RandomForestClassifier(
        count, n_jobs=-1, warm_start=True, **chosen
    )
    some = max(os.cpu_count() or 1, -(-count // _ROUNDS))
    # Some at a time, to say how it gets on: they are the trees of one `fit`.
    for start in progress.track(
        range(0, count, some),
        total=-(-count // some),
        title=f'growing {count:,} trees',
        unit=f'rounds of {some}',
    ):
      classifier.set_params(n_estimators=min(start + some, count))
      classifier.fit(features, labels)
    # Threads would add up the trees' votes in whatever order they end.
    classifier.set_params(n_jobs=1, warm_start=False)
  return Fitted(classifier, spec.baseline.pixels, len(class_weights))


def _say_how_long(
    classifier: Any, features: np.ndarray, labels: np.ndarray
) -> None:
  """Says how long a tree will take, from what a part of the images takes."""
  n, part = len(features), len(features) // _PART
  if features.size < _LARGE:
    return
  from sklearn import base

  started = time.monotonic()
  sample: Any = base.clone(classifier)
  sample.fit(features[::_PART], labels[::_PART])
  seconds = time.monotonic() - started
  # Every level of a tree sorts all images once more.
  seconds *= n * math.log2(n) / (part * math.log2(part))
  console.line(f'growing a tree takes about {progress.duration(seconds)}')


def probabilities(fitted: Fitted, pixels: np.ndarray) -> np.ndarray:
  """Scores images.

  Args:
    fitted: what `fit` returned.
    pixels: uint8 [n, height, width, 3] of the trained size.

  Returns:
    float32 [n, k], rows sum to 1: the classes' fractions of the training images
    in a leaf, averaged over the trees; 0 for a class that was not trained.
  """
  classifier = fitted.classifier
  answer = np.zeros((len(pixels), fitted.classes), np.float32)
  for start in range(0, len(pixels), _CHUNK):
    rows = slice(start, start + _CHUNK)
    answer[rows, classifier.classes_] = classifier.predict_proba(
        _features(pixels[rows], fitted.pixels)
    )
  return answer


def describe(fitted: Fitted) -> str:
  """Returns what was grown, one `name  number` a line."""
  trees = getattr(fitted.classifier, 'estimators_', [fitted.classifier])
  depths = [tree.get_depth() for tree in trees]
  rows = [
      ('trees', f'{len(trees):,}'),
      ('depth' if len(trees) == 1 else 'mean depth', f'{np.mean(depths):,.4g}'),
      ('nodes', f'{sum(tree.tree_.node_count for tree in trees):,}'),
      ('leaves', f'{sum(tree.get_n_leaves() for tree in trees):,}'),
  ]
  return ''.join(f'{name:<10}  {number:>12}\n' for name, number in rows)


def _features(pixels: np.ndarray, form: str) -> np.ndarray:
  """Returns float32 [n, height * width * 3]."""
  factor, offset = _PIXELS[form]
  features = pixels.reshape(len(pixels), -1).astype(np.float32)
  # In place: a second array of this size may not fit.
  features *= np.float32(factor)
  features += np.float32(offset)
  return features
