"""What stands in `summary.json` and on the terminal."""

import dataclasses
import json

import numpy as np
import pytest

from medxfer import errors
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import summary

KEYS = {
    'accuracy',
    'f1_micro',
    'f1_macro',
    'f1_per_class',
    'balanced_accuracy',
    'auroc_macro',
    'confusion',
    'ece',
    'brier',
    'intervals',
    'n',
    'resampled_by',
    'class_names',
    'recall_per_class',
    'ece_debiased',
}


def _scored(
    names: tuple = ('akiec', 'mel', 'nv'), n: int = 90
) -> predictions_lib.Predictions:
  generator = np.random.default_rng(0)
  return predictions_lib.Predictions(
      tuple(f'i{i}' for i in range(n)),
      np.arange(n) % len(names),
      generator.dirichlet(np.ones(len(names)), n),
      names,
  )


def test_keys_are_those_of_the_design_and_json_keeps_them() -> None:
  """Protects: the report finds every number; no NaN in a file."""
  # The last class is absent.
  scored = dataclasses.replace(_scored(), labels=np.arange(90) % 2)
  answer = summary.split_summary(scored, resamples=50, seed=1)
  assert KEYS <= set(answer)
  assert json.loads(json.dumps(answer, allow_nan=False)) == answer
  assert answer['n'] == 90 and answer['resampled_by'] == 'image'
  assert set(answer['intervals']) == {
      'accuracy',
      'f1_micro',
      'f1_macro',
      'balanced_accuracy',
      'auroc_macro',
      'f1_per_class',
      'recall_per_class',
      'specificity_per_class',
      'ppv_per_class',
      'npv_per_class',
      'auroc_per_class',
      'ece',
      'brier',
  }
  assert answer['auroc_undefined'] == ['nv']
  assert answer == summary.split_summary(scored, resamples=50, seed=1)


def test_groups_are_named_as_the_unit() -> None:
  """Protects: a reader sees what the intervals take for independent."""
  scored = _scored()
  grouped = dataclasses.replace(
      scored, groups=tuple(f'g{i // 3}' for i in range(90))
  )
  answer = summary.split_summary(grouped, resamples=20)
  assert answer['resampled_by'] == 'group'
  assert '95 % intervals by group' in summary.table(answer)


def test_scores_of_a_diverged_run_are_refused() -> None:
  """Protects: NaN does not turn into a number."""
  bad = np.full((90, 3), 1 / 3)
  bad[4, 1] = np.nan
  with pytest.raises(errors.DataError, match="image 'i4'"):
    summary.split_summary(dataclasses.replace(_scored(), probabilities=bad))


def test_table_fits_the_terminal_and_says_the_numbers() -> None:
  """Protects: 80 columns, with long or odd names and absent classes."""
  names = ('nv', 'a' * 70, 'line\nbreak', 'absent')
  scored = dataclasses.replace(_scored(names, 60), labels=np.arange(60) % 3)
  answer = summary.split_summary(scored, resamples=30)
  text = summary.table(answer)
  lines = text.split('\n')
  assert max(map(len, lines)) <= 80
  assert all(line == line.rstrip() for line in lines)
  assert 'line?break' in text and 'a' * 29 + '…' in text
  low, high = answer['intervals']['accuracy']
  assert f'{answer["accuracy"]:.4f}  {low:.4f}-{high:.4f}' in text
  assert 'AUROC is undefined for 1 of the classes.' in text
  assert '60 images; 95 % intervals by image' in text
  assert summary.table(json.loads(json.dumps(answer))) == text


def test_a_class_of_few_images_is_marked() -> None:
  """Protects: 9 images of a class are not read like 900."""
  scored = dataclasses.replace(
      _scored(n=99), labels=np.repeat([0, 1, 2], [80, 10, 9])
  )
  lines = summary.table(summary.split_summary(scored, resamples=5)).split('\n')
  marked = [line.split()[0] for line in lines if line.endswith(' !')]
  assert marked == ['nv']
  assert '! Fewer than 10 images: too few to tell how good it is.' in lines
  enough = summary.table(summary.split_summary(_scored(), resamples=5))
  assert '!' not in enough


def test_a_summary_of_an_older_version_still_prints() -> None:
  """Protects: workdirs from before recall and the debiased error."""
  answer = summary.split_summary(_scored(), resamples=5)
  for key in ('recall_per_class', 'ece_debiased'):
    del (
        answer[key],
        answer['intervals'][
            'recall_per_class' if key == 'recall_per_class' else 'ece'
        ],
    )
  text = summary.table(answer)
  assert 'expected calibration error' in text and 'less what' not in text


def test_table_shows_a_dash_for_what_is_undefined() -> None:
  """Protects: one class or one patient still gives a table."""
  scored = dataclasses.replace(
      _scored(), labels=np.zeros(90, int), groups=('p',) * 90
  )
  text = summary.table(summary.split_summary(scored, resamples=5))
  row = next(line for line in text.split('\n') if 'macro AUROC' in line)
  assert row.split()[2:] == ['-', '-']
