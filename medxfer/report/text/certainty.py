"""How sure a network is, and whether it is right that often, in words."""

from medxfer.evaluation import calibration
from medxfer.evaluation import recalibration
from medxfer.report.read import finished_run
from medxfer.report.read import settings as settings_lib
from medxfer.runs import calibrated

_NEAR = 0.9  # How sure a network is of the images that are told of.
_FEWEST = 20  # Of them, or nothing is told.


def fitted(run: finished_run.Run) -> recalibration.Calibration | None:
  """Returns the calibration of a run; None if nothing was changed."""
  found = calibrated.of_summary(run.summary, run.dataset.class_names)
  return None if found.method == recalibration.NONE else found


def said(column: settings_lib.Column) -> tuple[str, ...]:
  """Returns the calibration error, and what it means, a sentence each."""
  run = column.first
  return _error(run), _of_a_hundred(run)


def _error(run: finished_run.Run) -> str:
  test, found = run.summary['test'], fitted(run)
  debiased = test.get('ece_debiased')
  if debiased is None:
    return (
        f'Calibration error {test["ece"]:.3f}, which is biased upwards '
        'with few images.'
    )
  text = f'Calibration error {debiased:.3f}, corrected for its bias'
  if not found:
    return f'{text}.'
  before = run.summary['calibration']['before']['test']['ece_debiased']
  return (
      f'{text}; {before:.3f} before the probabilities were calibrated on '
      f'validation images (temperature {found.temperature:.2f}).'
  )


def _of_a_hundred(run: finished_run.Run) -> str:
  count, right = calibration.near(run.predictions, _NEAR)
  if count < _FEWEST:
    return ''
  return (
      f'Of 100 images that it calls {100 * _NEAR:.0f} % sure, '
      f'{100 * right:.0f} are right ({count:,} test images).'
  )
