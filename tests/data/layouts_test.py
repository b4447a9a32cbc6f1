"""Protects what folders mean: subsets, sources, classes, groups."""

from typing import Any

import pytest

from medxfer import errors
from medxfer.data import file_kinds
from medxfer.data import layouts
from medxfer.data import level_search

_GRADES = '01234'


def _ids(*folders: Any, images: int = 4) -> list:
  """Returns so many images in each folder."""
  return [f'{folder}/{i}.png' for folder in folders for i in range(images)]


def _cross(*levels: Any, images: int = 4) -> list:
  """Returns images in all combinations of the names of each level."""
  folders = ['']
  for names in levels:
    folders = [
        f'{above}/{name}'.lstrip('/') for above in folders for name in names
    ]
  return _ids(*folders, images=images)


def _numbers(start: int, stop: int, word: str = '') -> list:
  return [f'{word}{i}' for i in range(start, stop)]


@pytest.mark.parametrize(
    'ids, levels',
    [
        (_cross('ab'), 'class'),
        (_cross(['dataset'], 'ab'), 'wrapper/class'),
        (
            _cross(['x'], ['y'], ['train', 'test'], 'ab'),
            'wrapper/wrapper/subset/class',
        ),
        (_cross(['train', 'test'], ['dataset'], 'ab'), 'subset/wrapper/class'),
        (_cross(['dataset'], ['lesion', 'no_lesion']), 'wrapper/class'),
        (_cross(['boston', 'paris'], ['lesion', 'no_lesion']), 'source/class'),
        (
            _ids(*(f'{s}/{s}/{c}' for s in ('train', 'test') for c in 'ab')),
            'subset/wrapper/class',
        ),
        (
            _cross(['centre0', 'centre1'], ['benign', 'malignant']),
            'source/class',
        ),
        (_cross(['boston', 'paris'], ['benign', 'malignant']), 'source/class'),
        (_cross(['boston', 'paris'], ['mel', 'nv', 'bcc']), 'source/class'),
        (_cross(['hospital_a', 'hospital_b'], _GRADES), 'source/class'),
        (
            _ids(
                *(
                    f'{s}/{c}'
                    for s, names in (('x', 'abc'), ('y', 'ab'))
                    for c in names
                )
            ),
            'source/class',
        ),
        (
            _cross(['boston', 'paris'], ['train', 'test'], 'ab'),
            'source/subset/class',
        ),
        (
            _cross(['train', 'test'], ['boston', 'paris'], 'ab'),
            'subset/source/class',
        ),
        (
            _ids(
                *(
                    f'{p}/{s}/{c}'
                    for p, subsets in (
                        ('x', ('Train', 'Test')),
                        ('y', ('train', 'test')),
                    )
                    for s in subsets
                    for c in 'ab'
                )
            ),
            'source/subset/class',
        ),
        (_cross('ab', ['train', 'test']), 'class/subset'),
        (
            _cross(
                ['benign', 'malignant'], _numbers(0, 10, 'patient'), images=3
            ),
            'class/group',
        ),
        (_cross(['benign', 'malignant'], _numbers(0, 10)), 'class/group'),
        (_cross(['x', 'y'], _numbers(0, 30)), 'class/group'),
        (
            _ids(
                *(f'x/{i}' for i in _numbers(0, 6)),
                *(f'y/{i}' for i in _numbers(6, 12)),
            ),
            'class/group',
        ),
        (
            _cross(['train', 'test'], 'ab', _numbers(0, 3, 'P_')),
            'subset/class/group',
        ),
        (
            _cross(['train', 'test'], 'ab', _numbers(0, 3, 'patient_')),
            'subset/class/group',
        ),
        (
            _cross(['site1', 'site2'], 'ab', _numbers(1, 7, 'case')),
            'source/class/group',
        ),
        (
            _cross('ab', ['site1', 'site2'], _numbers(1, 7, 'case')),
            'class/source/group',
        ),
        (_cross(_numbers(10253, 10280), '01'), 'group/class'),
        (_cross(_numbers(0, 4, 'patient'), 'ab'), 'group/class'),
        (_ids('NORMAL', 'PNEUMONIA/bacteria', 'PNEUMONIA/virus'), 'class/part'),
        (_cross('ab', _numbers(1, 9, 'part')), 'class/part'),
        (_cross('ab', ['left', 'right']), 'class/part'),
        (_cross(['benign', 'malignant'], ['x', 'y']), 'class/part'),
        (_cross(_numbers(1, 6, 'fold'), '01'), 'source/class'),
        (_cross(['part_1', 'part_2'], ['benign', 'malignant']), 'source/class'),
        (
            _ids('boston/NORMAL', 'boston/SICK', 'paris/normal', 'paris/sick'),
            'source/class',
        ),
        (_cross('ab', ['images']), 'class'),
        (_ids('a/2019', 'a/2020', 'b/2021', 'b/2022'), 'class/part'),
        (_cross('ab', ['images'], _numbers(0, 4, 'patient')), 'class/group'),
        (
            _cross('ab', ['SOB'], ['x', 'y'], _numbers(0, 4, 'case_')),
            'class/group/part',
        ),
        (_cross(['01_train', '02_val', '03_test'], 'ab'), 'subset/class'),
        (_cross(['train2017', 'val2017'], 'ab'), 'subset/class'),
    ],
)
def test_a_level_is_found(ids: list, levels: str) -> None:
  """As people lay images out: each was read as something else, or refused."""
  layout = layouts.find(ids)
  found = [kind for kind in layout.levels if kind != 'part']
  found += [kind for kind in layout.notes if kind == 'part']
  assert '/'.join(found) == levels
  assert not layout.left_out and set(layout.places) == set(ids)
  said = {kind: len(lines) for kind, lines in layout.notes.items() if lines}
  assert said == {
      kind: found.count(kind)
      for kind in found
      if kind not in ('class', 'subset')
  }


def test_places_say_class_side_source_and_group() -> None:
  """Numbers of patients begin anew in each centre."""
  layout = layouts.find(
      _cross(
          ['site1', 'site2'], ['Train', 'Valid'], 'ab', _numbers(1, 7, 'case')
      )
  )
  assert layout.places['site2/Valid/b/case3/0.png'] == level_search.Place(
      'b', 'val', 'site2', 'site2/case3'
  )
  assert layout.class_names == ('a', 'b')
  assert set(layout.parents) == {
      f'site{i}/{s}' for i in (1, 2) for s in ('Train', 'Valid')
  }


@pytest.mark.parametrize(
    'names',
    [
        'train val test',
        'Train Val Test',
        'TRAIN VALID TEST',
        'training validation testing',
        'Training_Set Validation_Set Test_Set',
        'train_images valid_images test_images',
        'trainset devset testset',
        'training-data dev-data test-data',
        'data_train data_val data_test',
        'ISIC_Training_Input ISIC_Validation_Input ISIC_Test_Input',
        'TrainImages ValImages TestImages',
    ],
)
def test_usual_names_of_sides_are_known(names: str) -> None:
  """A folder `Train` is no class."""
  layout = layouts.find(_cross(names.split(), 'ab'))
  train, val, test = names.split()
  for folder, subset in ((train, 'train'), (val, 'val'), (test, 'test')):
    assert layout.places[f'{folder}/a/0.png'].subset == subset


@pytest.mark.parametrize(
    'names',
    [
        ['test_positive', 'test_negative'],
        ['constrained', 'testis'],
        ['retrained', 'device'],
        ['trait', 'valley'],
    ],
)
def test_other_names_are_classes(names: list) -> None:
  """A word in a name is no subset."""
  assert layouts.find(_cross(names)).levels == ('class',)


def test_sides_of_other_names_are_named() -> None:
  """And a usual name for the same subset is left out, not mixed in."""
  ids = _cross(['Learning', 'Exam'], 'ab')
  named = {'Learning': 'train', 'Exam': 'test'}
  layout = layouts.find(ids, named=named)
  assert layout.places['Exam/a/0.png'].subset == 'test'
  layout = layouts.find(
      [*_cross(['train', 'test', 'Exam'], 'ab')], named={'Exam': 'test'}
  )
  assert {p.subset for p in layout.places.values()} == {'train', 'test'}
  assert set(layout.left_out.values()) == {file_kinds.OTHER_SIDE}
  assert all(name.startswith('test/') for name in layout.left_out)
  with pytest.raises(errors.UsageError, match="'Quiz'.*Exam, Learning"):
    layouts.find(ids, named={**named, 'Quiz': 'val'})
  with pytest.raises(errors.UsageError, match="'Quiz'.*there is Exam, train$"):
    layouts.find(_cross(['train', 'Exam'], 'ab'), named={'Quiz': 'test'})


@pytest.mark.parametrize(
    'test',
    [
        _ids('test'),
        _ids('test/unknown'),
        _ids('test/images'),
        _ids('test/test'),
    ],
)
def test_a_side_without_classes_is_left_out(test: list) -> None:
  """Competitions keep the labels of their test subset."""
  layout = layouts.find([*_cross(['train', 'val'], 'ab'), *test])
  assert set(layout.left_out) == set(test)
  assert set(layout.left_out.values()) == {file_kinds.UNLABELLED}
  said = layout.notes['subset'][0]
  assert 'test/ has no folders of classes: its 4 images' in said
  assert {p.subset for p in layout.places.values()} == {'train', 'val'}


def test_masks_in_folders_of_classes_of_their_own_are_left_out() -> None:
  """They look like a second source of the same classes."""
  layout = layouts.find(_cross(['images', 'masks'], 'ab'))
  assert layout.levels == ('wrapper', 'class')
  assert set(layout.left_out.values()) == {file_kinds.MASK}
  assert all(name.startswith('masks/') for name in layout.left_out)
  assert layouts.find(_cross(['mask', 'no_mask'])).class_names == (
      'mask',
      'no_mask',
  )


def test_images_beside_classes_are_left_out() -> None:
  """They have no label; that was not said before."""
  layout = layouts.find([*_cross('ab'), 'overview.png'])
  assert layout.left_out == {'overview.png': file_kinds.OUTSIDE}
  layout = layouts.find([*_cross(['train', 'test'], 'ab'), 'train/x.png'])
  assert layout.left_out == {'train/x.png': file_kinds.OUTSIDE}


@pytest.mark.parametrize(
    'ids, message',
    [
        (
            _cross(['train', 'val', 'valid'], 'ab'),
            'subset val: val/ and valid/',
        ),
        (_cross(['Train', 'train'], 'ab'), 'subset train: Train/ and train/'),
        (
            _cross(['train', 'x'], 'ab'),
            'train/ is a subset.* x/ beside.*data.subsets',
        ),
        (_cross(['test', 'control']), 'test/ is a subset.*if test/ is a class'),
        (_ids('train', 'test'), 'images lie in test, train itself'),
        (
            _ids(
                *(
                    f'seg_{s}/seg_{s}/{c}'
                    for s in ('train', 'test')
                    for c in 'ab'
                ),
                'seg_pred/seg_pred',
            ),
            'seg_train/ is a subset.* seg_pred/ beside',
        ),
        (
            _cross(['trainA', 'trainB', 'testA', 'testB']),
            'subset test: testA/ and testB/',
        ),
        (['1.png', '2.png'], '2 images lie in . itself'),
        (
            _cross('xy', _GRADES),
            'x/ and y/ hold.*levels=source/class or class/gr',
        ),
    ],
)
def test_folders_that_mean_nothing_or_two_things_are_refused(
    ids: list, message: str
) -> None:
  """The way out is a name or a key, not a guess."""
  with pytest.raises(errors.DataError, match=message):
    layouts.find(ids)


@pytest.mark.parametrize(
    'levels, place',
    [
        ('class', level_search.Place('x')),
        ('source/class', level_search.Place('1', source='x')),
        ('class/group', level_search.Place('x', group='1')),
        ('group/class', level_search.Place('1', group='x')),
        ('class/source', level_search.Place('x', source='1')),
    ],
)
def test_the_key_overrules_what_is_found(
    levels: str, place: level_search.Place
) -> None:
  """Where names mislead, the user has the last word; below subsets as well."""
  ids = _cross('xy', _GRADES)
  assert layouts.find(ids, levels=levels).places['x/1/0.png'] == place
  sided = [f'test/{name}' for name in ids] + [f'train/{n}' for n in ids]
  layout = layouts.find(sided, levels=levels)
  assert layout.places['test/x/1/0.png'] == place._replace(subset='test')
  assert not any(layout.notes.values())


def test_groups_need_folders() -> None:
  """A key that finds nothing must not pass for an answer."""
  with pytest.raises(errors.UsageError, match='levels.*hold no folders'):
    layouts.find(_cross('ab'), levels='class/group')
