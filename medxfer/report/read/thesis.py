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
        heading, group, trainable, types.MappingProxyType(dict(zip(rows, f1))))
  return Table(number, figure, transferred, types.MappingProxyType(arms))


# By number.
TABLES: Mapping[str, Table] = types.MappingProxyType({
    '7.1': _table(
        '7.1', '5.1', 'CNN models using ImageNet weights',
        ('akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'vasc', MICRO, MACRO), {
            'decision_tree': (
                'Decision tree', '',
                (.09, .20, .26, .00, .19, .76, .06, .57, .23)),
            'random_forest': (
                'Random forest', '',
                (.25, .38, .40, .00, .22, .84, .00, .70, .30)),
            'random': (
                'CNN, random weights', 'all',
                (.31, .41, .37, .00, .34, .88, .17, .72, .35)),
            'all': (
                'All layers trainable', 'all',
                (.36, .64, .64, .27, .58, .92, .78, .81, .60)),
            'last_block': (
                'Last block trainable', 'block5',
                (.27, .59, .58, .00, .54, .91, .50, .79, .48)),
            'first_block': (
                'First block trainable', 'block1',
                (.00, .00, .00, .00, .01, .80, .00, .66, .11)),
            'first_last': (
                'First and last blocks trainable', 'block1,block5',
                (.36, .64, .60, .07, .53, .91, .50, .79, .52)),
        }),
    '7.2': _table(
        '7.2', '5.2', 'Transferred models',
        ('NORMAL', 'PNEUMONIA', MICRO, MACRO), {
            'decision_tree': ('Decision tree', '', (.75, .91, .87, .83)),
            'random_forest': ('Random forest', '', (.88, .96, .94, .92)),
            'random': ('CNN, random weights', 'all', (.89, .96, .94, .92)),
            'imagenet': ('CNN, ImageNet weights', 'all', (.91, .97, .95, .94)),
            'ham': ('CNN, HAM10000 weights', 'all', (.90, .96, .94, .93)),
        }),
})

# What chapter 6 says of every network, in the words of `recipe`.
RECIPE: Mapping[str, str] = types.MappingProxyType({
    'split': 'by image',
    'images': '224×224',
    'pixels': '[-1, 1]',
    'optimizer': 'sgd at 0.0001',
})

# Preprocessing -> what it makes of pixels, in words.
PIXELS: Mapping[str, str] = types.MappingProxyType(
    {'tf': '[-1, 1]', 'caffe': 'Caffe means', 'rescale': '[0, 1]'})


def table(dataset: str) -> Table | None:
  """Returns the table of a data set, by its name; None if it has none."""
  return TABLES.get(registry.get(dataset).thesis_table)


def recipe(spec: specs.RunSpec) -> dict[str, str]:
  """Returns what a run did about each key of `RECIPE`."""
  height, width = spec.data.image_size
  split = {
      'by_image': 'by image', 'grouped': 'by group', 'official': 'as published',
      'official_grouped': 'as published', 'auto': 'as the folder gives it'}
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
