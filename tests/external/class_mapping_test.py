"""Protects the names of classes: theirs never become ours in silence."""

import pathlib

import numpy as np
import pytest

from medxfer import errors
from medxfer.data import examples as examples_lib
from medxfer.external import class_mapping

_OURS = ('mel', 'nv', 'bcc')


def _theirs(*labels: str) -> examples_lib.Examples:
  names = tuple(sorted(set(labels)))
  ids = tuple(f'{i}.png' for i in range(len(labels)))
  return examples_lib.Examples(
      'folder',
      names,
      ids,
      tuple(map(pathlib.Path, ids)),
      np.array([names.index(label) for label in labels], np.int32),
      ids,
      columns={'sex': tuple('fm'[i % 2] for i in range(len(labels)))},
  )


def _labels(examples: examples_lib.Examples) -> list[str]:
  return [examples.class_names[label] for label in examples.labels]


def test_equal_names_need_no_mapping_whatever_their_case() -> None:
  """NV is nv; the note says so."""
  found = class_mapping.apply(_theirs('NV', 'mel', 'NV'), {}, _OURS)
  assert _labels(found) == ['nv', 'mel', 'nv'] and found.class_names == _OURS
  assert found.notes == ('their class NV is nv',)


def test_two_of_theirs_may_be_one_of_ours() -> None:
  """Images and columns stay in order."""
  found = class_mapping.apply(
      _theirs('naevus', 'melanoma', 'dysplastic'),
      class_mapping.parse('naevus=nv, dysplastic = nv,melanoma=mel'),
      _OURS,
  )
  assert _labels(found) == ['nv', 'mel', 'nv']
  assert found.columns['sex'] == ('f', 'm', 'f')


def test_images_of_a_class_can_be_left_out() -> None:
  """They are counted by their class."""
  found = class_mapping.apply(
      _theirs('mel', 'wart', 'nv'), class_mapping.parse('wart='), _OURS
  )
  assert _labels(found) == ['mel', 'nv'] and found.image_ids == (
      '0.png',
      '2.png',
  )
  assert found.left_out == {'1.png': 'image of class wart, which is left out'}


@pytest.mark.parametrize(
    'text, message',
    [
        ('mel', "'mel' is not theirs=ours"),
        ('=mel', 'is not theirs=ours'),
        ('a=mel,a=nv', "'a' is there twice"),
        ('a=mel,', "'' is not theirs=ours"),
    ],
)
def test_another_form_is_refused(text: str, message: str) -> None:
  """With the form that is meant."""
  with pytest.raises(errors.UsageError, match=message):
    class_mapping.parse(text)


@pytest.mark.parametrize(
    'mapping, error, message',
    [
        ({'cold': 'mel'}, errors.UsageError, "no class 'cold'.*mel, wart"),
        (
            {'wart': 'cold'},
            errors.UsageError,
            "'cold' is not a class of the ne",
        ),
        ({}, errors.DataError, "'wart': not a class.*--classes=wart=OURS"),
        ({'wart': '', 'mel': ''}, errors.DataError, 'no image is left'),
    ],
)
def test_what_goes_with_no_class_is_refused(
    mapping: dict[str, str], error: type[Exception], message: str
) -> None:
  """From either side."""
  with pytest.raises(error, match=message):
    class_mapping.apply(_theirs('mel', 'wart'), mapping, _OURS)
