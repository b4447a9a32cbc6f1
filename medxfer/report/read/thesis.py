"""What the thesis printed: tables 7.1 and 7.2, their layout, the recipe.

The 'micro avg' of both tables is the accuracy; their macro averages can be
recomputed from their rows.
"""

from collections.abc import Mapping
import dataclasses
import types

from medxfer import spec as specs
from medxfer.data import registry

NETWORK = 'vgg16'  # As `model.name` says it,
LAST_BLOCK = 'block5'  # and the last of its blocks.
BASELINE_MODELS = 'Baseline models'
MICRO = 'micro avg'
MACRO = 'macro avg'


@dataclasses.dataclass(frozen=True)
class Column:
  """One column of a table.

  Attributes:
    title: its heading.
    group: the heading above several.
    trainable: what trained, as `model.trainable` says it; '' for trees.
    f1: row -> the F1 score that was printed.
  """

  title: str
  group: str
  trainable: str
  f1: Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class Table:
  """One table of chapter 7.

  Attributes:
    number: '7.1' or '7.2'.
    figure: the figure with the same data set's class distribution.
    transferred: the heading above the columns with pretrained weights.
    columns: arm -> its column, in the order of the thesis.
  """

  number: str
  figure: str
  transferred: str
  columns: Mapping[str, Column]


def _table(
    number: str,
    figure: str,
    transferred: str,
    rows: tuple[str, ...],
    columns: Mapping[str, tuple[str, str, tuple[float, ...]]],
) -> Table:
  arms = {}
  for arm, (heading, trainable, f1) in columns.items():
    group = transferred if len(arms) >= 3 else BASELINE_MODELS
    arms[arm] = Column(
        heading, group, trainable, types.MappingProxyType(dict(zip(rows, f1)))
    )
  return Table(number, figure, transferred, types.MappingProxyType(arms))


# By number.
TABLES: Mapping[str, Table] = types.MappingProxyType(
    {
        '7.1': _table(
            '7.1',
            '5.1',
            'CNN models using ImageNet weights',
            ('akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'vasc', MICRO, MACRO),
            {
                'decision_tree': (
                    'Decision tree',
                    '',
                    (0.09, 0.20, 0.26, 0.00, 0.19, 0.76, 0.06, 0.57, 0.23),
                ),
                'random_forest': (
                    'Random forest',
                    '',
                    (0.25, 0.38, 0.40, 0.00, 0.22, 0.84, 0.00, 0.70, 0.30),
                ),
                'random': (
                    'CNN, random weights',
                    'all',
                    (0.31, 0.41, 0.37, 0.00, 0.34, 0.88, 0.17, 0.72, 0.35),
                ),
                'all': (
                    'All layers trainable',
                    'all',
                    (0.36, 0.64, 0.64, 0.27, 0.58, 0.92, 0.78, 0.81, 0.60),
                ),
                'last_block': (
                    'Last block trainable',
                    'block5',
                    (0.27, 0.59, 0.58, 0.00, 0.54, 0.91, 0.50, 0.79, 0.48),
                ),
                'first_block': (
                    'First block trainable',
                    'block1',
                    (0.00, 0.00, 0.00, 0.00, 0.01, 0.80, 0.00, 0.66, 0.11),
                ),
                'first_last': (
                    'First and last blocks trainable',
                    'block1,block5',
                    (0.36, 0.64, 0.60, 0.07, 0.53, 0.91, 0.50, 0.79, 0.52),
                ),
            },
        ),
        '7.2': _table(
            '7.2',
            '5.2',
            'Transferred models',
            ('NORMAL', 'PNEUMONIA', MICRO, MACRO),
            {
                'decision_tree': (
                    'Decision tree',
                    '',
                    (0.75, 0.91, 0.87, 0.83),
                ),
                'random_forest': (
                    'Random forest',
                    '',
                    (0.88, 0.96, 0.94, 0.92),
                ),
                'random': (
                    'CNN, random weights',
                    'all',
                    (0.89, 0.96, 0.94, 0.92),
                ),
                'imagenet': (
                    'CNN, ImageNet weights',
                    'all',
                    (0.91, 0.97, 0.95, 0.94),
                ),
                'ham': (
                    'CNN, HAM10000 weights',
                    'all',
                    (0.90, 0.96, 0.94, 0.93),
                ),
            },
        ),
    }
)

# The recipe of chapter 6 for every network, in the words of `recipe`.
RECIPE: Mapping[str, str] = types.MappingProxyType(
    {
        'split': 'by image',
        'images': '224×224',
        'pixels': '[-1, 1]',
        'optimizer': 'sgd at 0.0001',
    }
)

# Preprocessing -> range of the pixels, in words.
PIXELS: Mapping[str, str] = types.MappingProxyType(
    {'tf': '[-1, 1]', 'caffe': 'Caffe means', 'rescale': '[0, 1]'}
)


def table(dataset: str) -> Table | None:
  """Returns the table of a data set, by its name; None if it has none."""
  return TABLES.get(registry.get(dataset).thesis_table)


def recipe(spec: specs.RunSpec) -> dict[str, str]:
  """Returns what a run did about each key of `RECIPE`."""
  height, width = spec.data.image_size
  split = {
      'by_image': 'by image',
      'grouped': 'by group',
      'official': 'as published',
      'official_grouped': 'as published',
      'auto': 'as the folder gives it',
      'source': f'tested on {spec.data.test_source}',
  }
  return {
      'split': split[spec.data.split],
      'images': f'{height}×{width}',
      'pixels': PIXELS[spec.model.preprocessing],
      'optimizer': optimizer(spec.optimizer),
  }


def optimizer(spec: specs.OptimizerSpec) -> str:
  """Returns an update rule and its rates in words."""
  words = f'{spec.name} at {spec.learning_rate:g}'
  if spec.backbone_factor == 1:
    return words
  rate = spec.learning_rate * spec.backbone_factor
  return f'{words}, convolutions at {rate:g}'
