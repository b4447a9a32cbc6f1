"""What a linear classifier reads from one layer.

Alain and Bengio, 'Understanding intermediate layers using linear classifier
probes' (arXiv 1610.01644), on activations that are averaged over the image,
so that layers differ in what they know and hardly in how large they are.
"""

from typing import Any

import numpy as np
from sklearn import linear_model
from sklearn import pipeline
from sklearn import preprocessing

from medxfer import errors
from medxfer.evaluation import intervals
from medxfer.evaluation import metrics
from medxfer.evaluation import predictions as predictions_lib

_PENALTIES = np.logspace(-2, 5, 15)
_FEWEST = 2  # Images of a class to train on.


def predict(
    features: np.ndarray, labels: np.ndarray, asked: np.ndarray
) -> np.ndarray:
  """Trains a probe and returns its predictions for other images.

  A ridge regression of each class against all others, classes weighing the
  same; leaving out one image at a time chooses the penalty.

  Args:
    features: [n, d], of the images to train on.
    labels: int [n].
    asked: [m, d], of those to classify.

  Returns:
    Labels, int [m].
  """
  probe = pipeline.make_pipeline(
      preprocessing.StandardScaler(),
      linear_model.RidgeClassifierCV(_PENALTIES, class_weight='balanced'),
  )
  return probe.fit(features, labels).predict(asked)


def score(
    images: predictions_lib.Predictions, read: np.ndarray
) -> dict[str, Any]:
  """Scores a probe.

  Args:
    images: the m test images, with their groups.
    read: what the probe makes of them, int [m].

  Returns:
    'f1_macro' and its 95 % 'interval', None where it is not known.
  """
  table = metrics.confusion(images.labels, read, len(images.class_names))
  ends = intervals.of_decisions(images, read)
  return {
      'f1_macro': float(metrics.f1_per_class(table).mean()),
      'interval': ends['f1_macro'],
  }


def refuse_too_few(labels: np.ndarray, class_names: tuple[str, ...]) -> None:
  """Refuses images that no probe could be trained on.

  Args:
    labels: int [n], of the images to train on.
    class_names: what they index.

  Raises:
    DataError: a class has fewer than two.
  """
  for name, count in zip(
      class_names, np.bincount(labels, minlength=len(class_names))
  ):
    if count < _FEWEST:
      raise errors.DataError(
          f'class {name}: {count} images to train a probe on, which takes '
          f'{_FEWEST} or more; add some, or leave the class out'
      )
