"""A run's calibration: fitted on validation, folded into the last layer."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
from typing import Any

import numpy as np

from medxfer import errors
from medxfer import spec as specs
from medxfer.evaluation import calibration
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import recalibration
from medxfer.model import architectures
from medxfer.model import params as params_lib

KEY = 'calibration'  # In summary.json.
_LEVEL = 0.95


def of_summary(
    summary: Mapping[str, Any], class_names: Sequence[str]
) -> recalibration.Calibration:
  """Returns the calibration of a finished run; older runs have none.

  Args:
    summary: the content of its summary.json.
    class_names: of the run.

  Raises:
    DataError: the calibration is damaged, or of other classes.
  """
  if not summary.get(KEY):
    return recalibration.Calibration.none(len(class_names))
  try:
    if list(summary[KEY]['biases']) != list(class_names):
      raise ValueError('other classes')
    return recalibration.Calibration.from_json(summary[KEY])
  except (AttributeError, KeyError, TypeError, ValueError) as error:
    raise errors.DataError(
        f'summary.json: {KEY} is damaged ({error}); restore the file'
    ) from error


def fold(
    params: params_lib.Params,
    spec: specs.ModelSpec,
    fitted: recalibration.Calibration,
) -> params_lib.Params:
  """Returns parameters whose softmax is calibrated.

  Args:
    params: layer -> {'kernel': array, 'bias': array}.
    spec: of the network.
    fitted: the calibration; the others of the layers are not changed.
  """
  if fitted.method == recalibration.NONE:
    return params
  last = architectures.BY_NAME[spec.name].head[-1]
  kernel, bias = params[last]['kernel'], params[last]['bias']
  scale = np.float32(1 / fitted.temperature)
  return {
      **params,
      last: {
          'kernel': kernel * scale,
          'bias': bias * scale + np.array(fitted.biases, np.float32),
      },
  }


def described(
    fitted: recalibration.Calibration,
    scored: Mapping[str, predictions_lib.Predictions],
    *,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
  """Returns a calibration and what it changed, ready for JSON.

  Args:
    fitted: the calibration.
    scored: subset -> its predictions, calibrated.
    resamples: draws for the interval of the calibration error.
    seed: of the draws.

  Returns:
    See `recalibration.Calibration.to_json`; and for each subset `ece`,
    `ece_debiased`, `ece_interval`, `brier` and `loss` without calibration.
  """
  names = next(iter(scored.values())).class_names
  before = {}
  for subset, table in scored.items():
    raw = dataclasses.replace(
        table, probabilities=fitted.undo(table.probabilities)
    )
    ranges = calibration.intervals(
        raw, resamples=resamples, level=_LEVEL, seed=seed
    )
    before[subset] = {
        'ece': calibration.expected_calibration_error(raw),
        'ece_debiased': calibration.debiased_error(raw),
        'ece_interval': ranges['ece'],
        'brier': calibration.brier_score(raw),
        'loss': recalibration.loss(raw),
    }
  return {**fitted.to_json(names), 'before': before}
