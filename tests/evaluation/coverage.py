"""How often intervals cover, and how often nothing is called a difference.

    python -m tests.evaluation.coverage --repeats=3200

writes `results/coverage.json`, in about six minutes of one core. The slow
tests run the same simulations with fewer repeats.

Images are right with a probability p; a wrong one is called another class as
often as that class occurs. Images of a group are of one class, and are right
or wrong together with the intracluster correlation `alike`. Groups hold 1 to
`largest` images.
"""

from collections.abc import Iterator
import functools
import itertools
import pathlib
from typing import Any
from typing import NamedTuple

from absl import app
from absl import flags
import numpy as np

from medxfer import files
from medxfer.evaluation import auc_intervals
from medxfer.evaluation import calibration
from medxfer.evaluation import confusion_intervals
from medxfer.evaluation import paired
from medxfer.evaluation import predictions as predictions_lib

_REPEATS = flags.DEFINE_integer('repeats', 3200, 'Data sets of each setting.')
_FILE = pathlib.Path(__file__).parents[2] / 'results' / 'coverage.json'
_LEVEL = 0.95
_HAM = np.array([327, 514, 1099, 115, 1113, 6705, 142]) / 10_015
CLASSES = {
    'two': np.array([0.5, 0.5]),
    'X-rays': np.array([0.27, 0.73]),
    'HAM10000': _HAM,
}
IMAGES = (4, 20, 100, 1000)
TRUE = (0.5, 0.9, 0.99)
# Largest group, and how alike its images are.
GROUPS = ((1, 0.0), (4, 0.3), (4, 0.7))
SEEDS = (2, 3, 5)
# Standard deviation of what a training adds to the difference of two.
TRAINING = (0.0, 0.04, 0.15)
_OVERLAP = 0.2  # Correlation of trainings on four fifths of the same images.


class Setting(NamedTuple):
  """Where coverage is measured: see `CLASSES` and `GROUPS`."""

  classes: str
  images: int
  largest: int
  alike: float


def settings() -> Iterator[Setting]:
  """Yields all settings."""
  for name, images, (largest, alike) in itertools.product(
      CLASSES, IMAGES, GROUPS
  ):
    yield Setting(name, images, largest, alike)


def confusion(shares: np.ndarray, p: float) -> np.ndarray:
  """Returns the probability of each true and called class: [k, k]."""
  others = 1 - np.eye(len(shares))
  wrong = others * shares
  return shares[:, np.newaxis] * (
      p * np.eye(len(shares))
      + (1 - p) * wrong / wrong.sum(axis=1, keepdims=True)
  )


def f1(table: np.ndarray) -> np.ndarray:
  """Returns the F1 of each class."""
  return 2 * np.diag(table) / (table.sum(axis=0) + table.sum(axis=1))


def with_macro_f1(shares: np.ndarray, value: float) -> float:
  """Returns the p whose macro F1 is a value."""
  low, high = 0.0, 1.0
  for _ in range(50):
    middle = (low + high) / 2
    if f1(confusion(shares, middle)).mean() < value:
      low = middle
    else:
      high = middle
  return low


def units_of(generator: Any, images: int, largest: int) -> np.ndarray:
  """Returns the group of each image, of 1 to `largest` of them."""
  sizes = generator.integers(1, largest + 1, images)
  return np.repeat(np.arange(images), sizes)[:images]


def shared(
    generator: Any, shape: tuple[int, ...], unit: np.ndarray, alike: float
) -> np.ndarray:
  """Returns uniform numbers [*shape, n] that groups have in common."""
  own = generator.random((*shape, unit.size))
  common = generator.random((*shape, int(unit.max()) + 1))[..., unit]
  return np.where(
      generator.random((*shape, unit.size)) < np.sqrt(alike), common, own
  )


def _counts(generator: Any, setting: Setting, p: float, rows: int) -> Any:
  """Draws data sets, and counts them: [rows, k, u]."""
  shares = CLASSES[setting.classes]
  k, unit = len(shares), units_of(generator, setting.images, setting.largest)
  u = int(unit.max()) + 1
  labels = generator.choice(k, size=(rows, u), p=shares)[:, unit]
  chances = confusion(shares, p) / shares[:, np.newaxis]
  called = (
      shared(generator, (rows,), unit, setting.alike)[..., np.newaxis]
      > chances.cumsum(axis=1)[labels][..., :-1]
  ).sum(axis=-1)

  def of(which: np.ndarray, inside: np.ndarray) -> np.ndarray:
    cells = (np.arange(rows)[:, np.newaxis] * k + which) * u + unit
    return (
        np.bincount(cells[inside], minlength=rows * k * u)
        .reshape(rows, k, u)
        .astype(float)
    )

  everywhere = np.ones_like(labels, bool)
  return confusion_intervals.Counts(
      of(labels, everywhere),
      of(called, everywhere),
      of(labels, labels == called),
  )


def decided(
    setting: Setting, p: float, repeats: int, seed: int
) -> dict[str, tuple[float, float]]:
  """Returns metric -> (share that covers, mean width).

  Of recall (sensitivity and specificity) and F1 by class, the class that is
  covered least.
  """
  generator = np.random.default_rng(seed)
  table = confusion(CLASSES[setting.classes], p)
  true = {'accuracy': p, 'recall': p, 'f1': f1(table)}
  hits, widths = ({name: [] for name in (*true, 'f1_macro')} for _ in range(2))
  rows = max(1, min(repeats, 100_000 // setting.images))
  for _ in range(-(-repeats // rows)):
    counts = _counts(generator, setting, p, rows)
    by_class = confusion_intervals.f1(counts, _LEVEL)
    # The macro F1 is that of the classes that a data set has images of.
    present = counts.true.sum(axis=-1) > 0
    true['f1_macro'] = (present * true['f1']).sum(-1) / present.sum(-1)
    for name, (low, high) in (
        ('accuracy', confusion_intervals.accuracy(counts, _LEVEL)[1:3]),
        ('recall', confusion_intervals.recall(counts, _LEVEL)[1:3]),
        ('f1', by_class[1:3]),
        ('f1_macro', confusion_intervals.mean(by_class, present)),
    ):
      hits[name].append(
          (low <= true[name] + 1e-9) & (true[name] - 1e-9 <= high)
      )
      widths[name].append(high - low)
  return {
      name: (
          float(np.concatenate(hits[name]).mean(axis=0).min()),
          float(np.concatenate(widths[name]).mean()),
      )
      for name in true
  }


def table(labels: Any, positive: Any, unit: str) -> predictions_lib.Predictions:
  """Returns a table of two classes from the probability of the second."""
  return predictions_lib.Predictions(
      tuple(map(str, range(len(labels)))),
      labels,
      np.stack([1 - positive, positive], axis=1),
      ('a', 'b'),
      tuple(map(str, unit)),
  )


def ranked(
    n: int, rare: float, largest: int, area: float, repeats: int, seed: int
) -> float:
  """Returns how often the interval of a macro AUROC covers."""
  from scipy import stats

  generator, hits = np.random.default_rng(seed), []
  apart = stats.norm.ppf(area) * np.sqrt(2)
  for _ in range(repeats):
    unit = units_of(generator, n, largest)
    labels = (generator.random(unit.max() + 1) < rare)[unit].astype(int)
    score = stats.norm.cdf(
        apart * labels + stats.norm.ppf(shared(generator, (), unit, 0.5))
    )
    ends = auc_intervals.intervals(
        labels, np.stack([1 - score, score], axis=1), ('a', 'b'), unit, _LEVEL
    )['auroc_macro']
    if ends:
      hits.append(ends[0] <= area <= ends[1])
  return float(np.mean(hits))


def _stretched(generator: Any, size: int, largest: int, times: float) -> Any:
  """Draws a table whose logits are stretched."""
  unit = units_of(generator, size, largest)
  logit = generator.normal(0, 2, unit.max() + 1)[unit]
  labels = shared(generator, (), unit, 0.5) < 1 / (1 + np.exp(-logit))
  return table(labels.astype(int), 1 / (1 + np.exp(-times * logit)), unit)


@functools.cache
def _true_calibration(times: float) -> dict[str, float]:
  many = _stretched(np.random.default_rng(99), 400_000, 1, times)
  return {
      'ece': calibration.debiased_error(many) if times != 1 else 0.0,
      'brier': calibration.brier_score(many),
  }


def calibrated(
    n: int, largest: int, times: float, repeats: int, seed: int
) -> dict[str, float]:
  """Returns how often intervals cover where logits are stretched.

  And the mean of the plain and the debiased calibration error, and the true
  one.
  """
  generator, true = np.random.default_rng(seed), _true_calibration(times)
  hits, errors = {'ece': [], 'brier': []}, []
  for i in range(repeats):
    one = _stretched(generator, n, largest, times)
    ends = calibration.intervals(one, resamples=200, level=_LEVEL, seed=i)
    for name, (low, high) in ends.items():
      hits[name].append(low <= true[name] <= high)
    errors.append(
        (
            calibration.expected_calibration_error(one),
            calibration.debiased_error(one),
        )
    )
  plain, debiased = np.mean(errors, axis=0)
  return {
      **{name: float(np.mean(x)) for name, x in hits.items()},
      'true_ece': true['ece'],
      'mean_ece': float(plain),
      'mean_debiased': float(debiased),
  }


def false_clear(
    seeds: int,
    largest: int,
    training: float,
    repeats: int,
    seed: int,
    *,
    n: int = 120,
    classes: str = 'two',
) -> dict[str, float]:
  """Returns how often two classifiers that are alike are called different.

  Each seed tests on a fifth of the same images. Its trainings differ by a
  normal variable of standard deviation `training`, which seeds have in common
  as far as their training images are.
  """
  generator = np.random.default_rng(seed)
  shares = CLASSES[classes]
  clear = {'accuracy': 0, 'f1_macro': 0}
  for i in range(repeats):
    unit = units_of(generator, 5 * n, largest)
    labels = generator.choice(len(shares), unit.max() + 1, p=shares)[unit]
    hard = shared(generator, (), unit, 0.7)
    common = generator.normal()
    pairs = []
    for _ in range(seeds):
      apart = training * (
          np.sqrt(_OVERLAP) * common
          + np.sqrt(1 - _OVERLAP) * generator.normal()
      )
      inside = np.flatnonzero(
          np.isin(
              unit,
              generator.permutation(unit.max() + 1)[
                  : (unit.max() + 1) // 5 if seeds > 1 else unit.max() + 1
              ],
          )
      )
      pairs.append(
          tuple(
              _guessed(generator, labels, unit, hard, inside, p, len(shares))
              for p in (0.8 + apart / 2, 0.8 - apart / 2)
          )
      )
    found = paired.compare_seeds(pairs, resamples=199, seed=i)
    for name in clear:
      clear[name] += found[name]['p_value'] < 1 - _LEVEL
  return {name: count / repeats for name, count in clear.items()}


def _guessed(
    generator: Any,
    labels: Any,
    unit: str,
    hard: Any,
    inside: Any,
    p: Any,
    classes: Any,
) -> Any:
  """A classifier that is right with probability p, on the same hard images."""
  luck = np.where(
      generator.random(unit.size) < 0.6, hard, shared(generator, (), unit, 0.7)
  )
  called = np.where(
      luck < np.clip(p, 0.02, 0.98), labels, (labels + 1) % classes
  )
  return predictions_lib.Predictions(
      tuple(f'i{i}' for i in inside),
      labels[inside],
      np.eye(classes)[called[inside]],
      tuple(f'c{i}' for i in range(classes)),
      tuple(f'g{i}' for i in unit[inside]),
  )


def _decided(repeats: int) -> list[dict[str, Any]]:
  rows = []
  for i, (setting, true) in enumerate(itertools.product(settings(), TRUE)):
    one = decided(setting, true, repeats, i)
    macro = decided(
        setting, with_macro_f1(CLASSES[setting.classes], true), repeats, i
    )['f1_macro']
    rows.append(
        {
            **setting._asdict(),
            'true': true,
            **{
                name: [round(x, 4) for x in found]
                for name, found in (*one.items(), ('f1_macro', macro))
            },
        }
    )
  return rows


def _ranked(repeats: int) -> list[dict[str, Any]]:
  return [
      {
          'images': n,
          'rare': rare,
          'largest': largest,
          'true': area,
          'covered': ranked(n, rare, largest, area, repeats, 1),
      }
      for n, rare in ((20, 0.5), (20, 0.2), (100, 0.1), (1000, 0.02))
      for largest in (1, 4)
      for area in TRUE
  ]


def _calibrated(repeats: int) -> list[dict[str, Any]]:
  return [
      {
          'images': n,
          'largest': largest,
          'times': times,
          **calibrated(n, largest, times, repeats, 1),
      }
      for n in (20, 100, 1000)
      for largest in (1, 4)
      for times in (1.0, 1.5, 3.0)
  ]


def _false_clear(repeats: int, classes: str) -> list[dict[str, Any]]:
  return [
      {
          'seeds': seeds,
          'largest': largest,
          'training': training,
          'classes': classes,
          **false_clear(seeds, largest, training, repeats, 1, classes=classes),
      }
      for seeds in (1, *SEEDS)
      for largest in ((1, 2, 4, 30) if seeds == 1 else (1, 4))
      for training in (TRAINING if seeds > 1 else (0.0,))
  ]


def main(argv: list[str]) -> None:
  """Writes all of it."""
  del argv
  repeats = _REPEATS.value
  fewer, fewest = max(repeats // 16, 10), max(repeats // 32, 10)
  files.write_json(
      _FILE,
      {
          'command': f'python -m tests.evaluation.coverage --repeats={repeats}',
          'repeats': {
              'decided': repeats,
              'auroc': fewer,
              'calibration': fewer,
              'false_clear': fewest,
          },
          'decided': _decided(repeats),
          'auroc': _ranked(fewer),
          'calibration': _calibrated(fewer),
          'false_clear': [
              row
              for classes in ('two', 'HAM10000')
              for row in _false_clear(fewest, classes)
          ],
      },
  )


if __name__ == '__main__':
  app.run(main)
