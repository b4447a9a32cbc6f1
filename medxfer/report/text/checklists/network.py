"""What a report can say of a network and its training.

Each function returns what is known and where it stands, or '' if
nothing is.
"""

from medxfer import spec as specs
from medxfer.evaluation import recalibration
from medxfer.report.read import recipes
from medxfer.report.text import certainty
from medxfer.report.text.checklists import about as about_lib

# Keys of `optimizer`, `training` and `augment` that describe a training.
_TRAINING = (
    'optimizer.name',
    'optimizer.learning_rate',
    'optimizer.weight_decay',
    'optimizer.schedule',
    'training.batch_size',
    'training.epochs',
    'training.patience',
    'training.class_weights',
    'training.label_smoothing',
    'model.dropout',
    'model.trainable',
    'augment.horizontal_flip',
    'augment.vertical_flip',
    'augment.quarter_turns',
    'augment.zoom',
    'augment.brightness',
)


def model(about: about_lib.About) -> str:
  """The network."""
  run = about.first
  if run.architecture is None:
    return f'{run.spec.model.name} of pixels (config.json)'
  units = '-'.join(map(str, run.spec.model.head_units))
  total = sum(
      run.summary.get(f'{kind}_parameters') or 0
      for kind in ('trainable', 'frozen')
  )
  return (
      f'{run.architecture.title}, head {units}, {total:,} parameters '
      '(parameters.txt, figure of the network)'
  )


def software(about: about_lib.About) -> str:
  """Where the versions stand."""
  if not about.first.device:
    return ''
  return (
      f'medxfer, JAX and all versions; {about.first.device} (environment.json)'
  )


def start(about: about_lib.About) -> str:
  """Where the weights come from."""
  run = about.first
  if run.is_baseline:
    return ''
  return run.summary.get('weights_source') or 'random weights'


def training(about: about_lib.About) -> str:
  """The recipe."""
  run = about.first
  if run.is_baseline:
    return ''
  words = recipes.words(run.spec, _TRAINING)
  return f'{about.column.title}: {words} (config.json)'


def selection(about: about_lib.About) -> str:
  """How epoch and network were chosen."""
  run = about.first
  if run.is_baseline:
    return ''
  monitored = run.spec.training.monitor.replace('f1_macro', 'macro F1')
  return (
      f'the epoch with the best {monitored} on validation '
      f'images, {run.summary["best_epoch"]} of {run.summary["epochs_run"]} '
      '(metrics.jsonl); networks are chosen on validation images'
  )


def ensembles(about: about_lib.About) -> str:
  """Whether networks are averaged."""
  views = (
      'each image is scored in all its views'
      if about.first.spec.evaluation.test_time_views
      else 'each image is scored once'
  )
  return f'{views}; every number is of one network unless "average" is said'


def weights(about: about_lib.About) -> str:
  """Class weights, and what corrects the probabilities."""
  run = about.first
  if run.is_baseline:
    return ''
  fitted = certainty.fitted(run.single)
  method = fitted.method if fitted else recalibration.NONE
  return (
      f'training.class_weights={_plain(run.spec.training.class_weights)}; '
      f'calibration: {method}'
  )


def output(about: about_lib.About) -> str:
  """Probabilities, and how they become classes."""
  found = 'a probability of each class; the largest is the prediction'
  if about.first.summary.get('threshold'):
    found += '; also at the threshold that validation images chose'
  return found


def applied(about: about_lib.About) -> str:
  """How others compute predictions."""
  if about.first.is_baseline:
    return ''
  return (
      'medxfer predict --workdir=RUN, or the file that '
      'medxfer convert_weights writes (Keras, ONNX, StableHLO)'
  )


def code(about: about_lib.About) -> str:
  """The software; the rest is for the authors."""
  return 'software: medxfer; specification, split and predictions of each run'


def _plain(value: specs.ClassWeights | str) -> str:
  return value if isinstance(value, str) else f'{value}'
