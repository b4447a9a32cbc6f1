"""The score on the test images without copies of training images."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from medxfer import console
from medxfer import spec as specs
from medxfer.data import leaks
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import summary as summaries
from medxfer.runs import inputs as inputs_lib


def summary(
    spec: specs.RunSpec,
    inputs: inputs_lib.Inputs,
    test: predictions_lib.Predictions,
    threshold: Mapping[str, Any] | None,
) -> dict[str, Any] | None:
  """Scores the test images that are no copies of training images.

  Args:
    spec: of the run.
    inputs: what it read.
    test: its predictions, of all test images.
    threshold: of two classes, as `operating_point.choose` returns it; or None.

  Returns:
    What `summaries.split_summary` says of them; None if no test image is a
    copy, or if all of them are.
  """
  copied = leaks.copies_in_train(inputs.split, inputs.copies)
  names = {inputs.examples.image_ids[i] for i in copied}
  rows = np.array(
      [i for i, name in enumerate(test.image_ids) if name not in names],
      np.int64,
  )
  if not names or not len(rows):
    return None
  return summaries.split_summary(
      test.take(rows),
      resamples=spec.evaluation.resamples,
      seed=spec.seed,
      threshold=threshold,
  )


def announce(leak: leaks.Leak, without: dict[str, Any] | None) -> None:
  """Says the score without copies, if there are any."""
  if not leak.copies:
    return
  if without is None:
    console.line(
        'every test image is a copy of a training image: no score here '
        'says how well the network does on new images'
    )
    return
  low, high = without['intervals']['accuracy']
  console.line(
      f'without the {leak.copies:,} copies of training images: accuracy '
      f'{without["accuracy"]:.4f} ({low:.4f}-{high:.4f}), macro F1 '
      f'{without["f1_macro"]:.4f}, of {without["n"]:,} images'
  )
