"""Protects the choice of the class whose sensitivity is reported."""

import pytest

from medxfer import errors
from medxfer.evaluation import positive_class


def _choose(
    first: str, last: str, counts: tuple = (10, 10), wanted: str = ''
) -> positive_class.Positive | None:
  names = (first, last)
  return positive_class.choose(names, dict(zip(names, counts)), wanted)


@pytest.mark.parametrize(
    'absence, finding',
    [
        ('normal', 'abnormal'),
        ('NORMAL', 'PNEUMONIA'),
        ('benign', 'malignant'),
        ('negative', 'positive'),
        ('healthy', 'sick'),
        ('no_finding', 'nodule'),
        ('No Finding', 'finding'),
        ('notumor', 'tumor'),
        ('nonCOVID', 'COVID'),
        ('non-covid', 'covid'),
        ('Uninfected', 'Parasitized'),
        ('no-dr', 'dr'),
        ('uninfected', 'infected'),
        ('0_normal', '1_glaucoma'),
        ('control', 'alzheimer'),
        ('Normal images', 'Cancer images'),
        ('NoFinding', 'Effusion'),
        ('unaffected', 'affected'),
        ('no', 'yes'),
        ('notumor', 'glioma'),
        ('absence', 'presence'),
        ('正常', '肺炎'),
        ('normal', 'benign'),
        ('healthy', 'benign_lesion'),
    ],
)
@pytest.mark.parametrize('counts', [(10, 90), (90, 10)])
def test_the_absence_of_a_finding_is_never_positive(
    absence: str, finding: str, counts: tuple
) -> None:
  """Sensitivity is that of the disease, whatever the alphabet or counts."""
  for pair in ((absence, finding), (finding, absence)):
    assert _choose(*pair, counts).name == finding
    assert absence in _choose(*pair, counts).why


@pytest.mark.parametrize(
    'names',
    [
        ('mel', 'nv'),
        ('abnormal_a', 'abnormal_b'),
        ('nodule', 'mass'),
        ('notch', 'unicorn'),
        ('normal_left', 'normal_right'),
        ('黑色素瘤', '痣'),
        ('0', '1'),
        ('noise', 'signal'),
    ],
)
def test_without_a_name_that_tells_the_rarer_class_is_positive(
    names: tuple,
) -> None:
  """Words that only begin like a negation are none."""
  assert _choose(*names, (3, 9)).name == names[0]
  assert _choose(*names, (9, 3)).name == names[1]
  assert 'rarer' in _choose(*names, (9, 3)).why
  assert _choose(*names).name == names[1]


def test_the_key_overrules_names_and_counts() -> None:
  """Who asks for the sensitivity of `normal` gets it."""
  chosen = _choose('abnormal', 'normal', wanted='normal')
  assert chosen.name == 'normal'
  assert 'evaluation.positive' in chosen.why


def test_a_class_that_does_not_exist_is_refused() -> None:
  """The message names the classes that do."""
  with pytest.raises(errors.UsageError, match="'sik'.*'well', 'sick'"):
    _choose('well', 'sick', wanted='sik')


def test_more_than_two_classes_have_no_positive_one() -> None:
  """Each is measured against all others instead."""
  names = ('a', 'b', 'c')
  counts = dict.fromkeys(names, 1)
  assert positive_class.choose(names, counts) is None
  with pytest.raises(errors.UsageError, match='3 classes'):
    positive_class.choose(names, counts, 'b')
