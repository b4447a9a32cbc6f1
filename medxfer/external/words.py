"""What an external validation says, in sentences; read from its JSON alone."""

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from medxfer.evaluation import measure

_PERCENT = 100


def headline(found: Mapping[str, Any]) -> str:
  """Returns the one sentence that a reader must not miss.

  Args:
    found: what `validation.validate` returns.
  """
  metric = found['comparison']['metrics']['auroc_macro']
  name = 'AUROC'
  if metric['there']['value'] is None or metric['here']['value'] is None:
    metric, name = found['comparison']['metrics']['accuracy'], 'accuracy'
  by = '' if found['groups'] is None else f' ({found["groups"]:,} groups)'
  images = 'image' if found['n'] == 1 else 'images'
  return (
      f'Elsewhere: {name} {_text(metric["there"])} on {found["n"]:,} '
      f'{images}{by} of {found["name"]}, against {_text(metric["here"])} here; '
      f'difference {_text(metric["difference"], signed=True)}.'
  )


def explained(found: Mapping[str, Any]) -> Iterator[str]:
  """Yields what of a difference is ranking, threshold, fractions, calibration.

  Args:
    found: what `validation.validate` returns.
  """
  comparison = found['comparison']
  yield _ranking(comparison['metrics']['auroc_macro'])
  accuracy = comparison['metrics']['accuracy']
  text = (
      f'Accuracy {_text(accuracy["there"])}, here ' f'{_text(accuracy["here"])}'
  )
  own = comparison['threshold']
  if own:
    text += f'; {_text(own)} with a threshold that is chosen there'
  yield f'{text}.'
  error = comparison['metrics']['ece']
  calibration = (
      f'Calibration error {_text(error["there"])}, here {_text(error["here"])}'
  )
  adjusted = comparison['adjusted']
  if not adjusted:
    yield f'{calibration}.'
    return
  known, estimated = adjusted['known'], adjusted['estimated']
  yield (
      'Adjusted to the fractions of the classes there, accuracy is '
      f'{_text(known["accuracy"])}; to fractions that are estimated without '
      f'labels, {_text(estimated["accuracy"])}'
      f' ({_fractions(comparison["fractions"])}).'
  )
  yield (
      f'{calibration}; {_text(known["ece"])} when adjusted to the fractions '
      'there.'
  )


def cautions(found: Mapping[str, Any]) -> Iterator[str]:
  """Yields what is to be known of the images.

  Args:
    found: what `validation.validate` returns.
  """
  if found['absent_classes']:
    yield (
        f'Those images have no {", ".join(found["absent_classes"])}: what is '
        'compared is of the classes that both places have.'
    )
  seen = found['seen']
  if not seen['looked']:
    yield (
        'Whether copies of images of the run are among them is not known: '
        f'{seen["why"]}.'
    )
  elif seen['copies']:
    yield (
        f'{seen["copies"]:,} copies of images of the run itself were found '
        'among them and taken out.'
    )
  unlike = found.get('unlike_training')
  if unlike:
    yield (
        f'{_PERCENT * unlike["share"]:.0f} % of those images are unlike the '
        f'training images: farther from them than {unlike["limit"]:g} % of the '
        f'validation images; {_PERCENT - unlike["limit"]:g} % would be usual.'
    )
  if found['groups'] is None:
    yield (
        'Which of those images belong to one patient was not said: intervals '
        'take every image for a patient of its own.'
    )


def _ranking(metric: Mapping[str, Any]) -> str:
  there, ends = metric['there'], metric['difference']['interval']
  if there['value'] is None or ends is None:
    return 'Whether the ranking of images suffers cannot be said.'
  low, high = there['interval']
  if low <= 0.5 <= high and ends[1] >= 0:
    return (
        f'Too few images to tell how well the network ranks them: the AUROC, '
        f'{_text(there)}, may be chance, and differs not clearly.'
    )
  if low <= 0.5:
    level = 'no better than chance' if high >= 0.5 else 'worse than chance'
    return (
        f'The ranking is lost: an AUROC of {_text(there)} is {level}, and '
        'no threshold mends that.'
    )
  if ends[1] < 0:
    return 'The ranking suffers: the AUROC is clearly lower there.'
  if ends[0] > 0:
    return 'The ranking is clearly better there.'
  return 'The ranking does not clearly differ.'


def _fractions(fractions: Mapping[str, Mapping[str, float]]) -> str:
  """Returns the fractions of the class that moved the most."""
  training, known, estimated = (
      fractions[name] for name in ('training', 'known', 'estimated')
  )
  most = max(training, key=lambda name: abs(known[name] - training[name]))
  percent = lambda values: f'{_PERCENT * values[most]:.0f} %'
  return (
      f'{most}: {percent(training)} in training as the loss weighs them, '
      f'{percent(known)} there, '
      f'estimated {percent(estimated)}'
  )


def _text(one: Mapping[str, Any], *, signed: bool = False) -> str:
  return measure.Measure(**one).text(signed=signed)
