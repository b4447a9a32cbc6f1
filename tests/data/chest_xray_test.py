"""Protects the reading of the chest X-rays' layout, names and patients."""

import collections
from collections.abc import Callable
import pathlib
import shutil
from typing import Any

import pytest

from medxfer import errors
from medxfer.data import builders
from medxfer.data import chest_xray


@pytest.fixture
def folder(
    chest_phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> pathlib.Path:
  """A copy that a test may damage."""
  return shutil.copytree(chest_phantoms, tmp_path / 'xrays')


def _images(folder: pathlib.Path, pattern: str = 'train/NORMAL/*') -> list:
  return sorted(folder.glob(pattern))


def test_the_table_is_whole_and_sorted(chest_phantoms: pathlib.Path) -> None:
  """Ids, labels, subsets and kinds must belong to one another."""
  examples = chest_xray.read(chest_phantoms)
  assert examples.image_ids == tuple(
      sorted(path.stem for path in chest_phantoms.glob('*/*/*.jpeg'))
  )
  for i, path in enumerate(examples.paths):
    assert path.stem == examples.image_ids[i]
    assert path.parent.name == examples.class_names[examples.labels[i]]
    assert path.parts[-3] == examples.columns['published'][i]
    kind = examples.columns['kind'][i]
    assert (kind if kind != 'normal' else 'IM-') in path.stem


@pytest.mark.parametrize(
    'class_name, name, group, kind',
    [
        ('NORMAL', 'IM-0115-0001.jpeg', 'IM-0115', 'normal'),
        ('NORMAL', 'IM-0429-0001-0002.jpeg', 'IM-0429', 'normal'),
        ('NORMAL', 'NORMAL2-IM-0955-0001.jpg', 'NORMAL2-IM-0955', 'normal'),
        ('NORMAL', 'NORMAL-1049278-0001.jpeg', 'NORMAL-1049278', 'normal'),
        (
            'PNEUMONIA',
            'person1000_bacteria_2931.png',
            'person1000_bacteria',
            'bacteria',
        ),
        (
            'PNEUMONIA',
            'person1000_virus_1681.JPEG',
            'person1000_virus',
            'virus',
        ),
        ('PNEUMONIA', 'person447_virus_921_1.jpeg', 'person447_virus', 'virus'),
        ('PNEUMONIA', 'VIRUS-614452-0001.jpeg', 'VIRUS-614452', 'virus'),
    ],
)
def test_a_name_tells_patient_and_kind(
    folder: pathlib.Path, class_name: str, name: str, group: str, kind: str
) -> None:
  """Every form of name in both editions; a person is one of one kind."""
  path = folder / 'train' / class_name / name
  _images(folder, f'train/{class_name}/*')[0].rename(path)
  examples = chest_xray.read(folder)
  row = examples.image_ids.index(path.stem)
  assert examples.groups[row] == group
  assert examples.columns['kind'][row] == kind


def test_val_counts_as_train(folder: pathlib.Path) -> None:
  """Sixteen images must never stop a training; where they lay is kept."""
  path = _images(folder)[0]
  (folder / 'val' / 'NORMAL').mkdir(parents=True)
  path.rename(folder / 'val' / 'NORMAL' / path.name)
  examples = chest_xray.read(folder)
  row = examples.image_ids.index(path.stem)
  assert examples.columns['published'][row] == 'train'
  assert examples.columns['folder'][row] == 'val'


def test_what_unpacking_leaves_is_overlooked(
    folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """The public archive brings a wrapper, __MACOSX and dot files."""
  expected = chest_xray.read(folder).image_ids
  shutil.move(folder, tmp_path / 'DIR' / 'chest_xray')
  root = tmp_path / 'DIR'
  (root / '__MACOSX' / 'chest_xray').mkdir(parents=True)
  for place in ('', 'train', 'train/NORMAL'):
    (root / 'chest_xray' / place / '.DS_Store').write_bytes(b'x')
  (root / 'chest_xray/train/NORMAL/._IM-0115-0001.jpeg').write_bytes(b'x')
  assert chest_xray.read(root).image_ids == expected


@pytest.mark.parametrize(
    'change, message',
    [
        (shutil.rmtree, 'no such folder.*rscbjbr9sj.*phantom'),
        (lambda f: shutil.rmtree(f / 'test'), 'test/NORMAL: no such .*Kaggle'),
        (
            lambda f: shutil.rmtree(f / 'train' / 'PNEUMONIA'),
            'train/PNEUMONIA: no such folder',
        ),
        (lambda f: (f / 'train' / 'COVID').mkdir(), 'COVID: no class of'),
        (
            lambda f: shutil.copy(_images(f)[0], f / 'test' / 'NORMAL'),
            'test/NORMAL/.*is also at .*train/NORMAL/',
        ),
        (lambda f: [path.unlink() for path in _images(f, '*/*/*')], 'no image'),
        (
            lambda f: (f / 'train/NORMAL/IM\n1.jpeg').write_bytes(b'x'),
            r'IM\\n1.jpeg.*rename it',
        ),
    ],
)
def test_a_wrong_folder_is_refused(
    folder: pathlib.Path, change: Callable[..., Any], message: str
) -> None:
  """A data set that is guessed at gives wrong numbers without a sound."""
  change(folder)
  with pytest.raises(errors.DataError, match=message):
    chest_xray.read(folder)


@pytest.mark.parametrize(
    'name, message',
    [
        ('scan 1.jpeg', 'is not named like an image of chest_xray'),
        ('person1_fungus_1.jpeg', 'so its patient is unknown'),
        ('person999_virus_1.jpeg', 'is named virus, but lies in NORMAL'),
        ('IM-9999-0001.jpeg', 'is empty'),
    ],
)
def test_a_bad_image_fails_or_is_left_out_and_listed(
    folder: pathlib.Path, name: str, message: str
) -> None:
  """Without a patient there is no honest split."""
  path = folder / 'train' / 'NORMAL' / name
  path.write_bytes(b'' if 'IM' in name else b'x')
  with pytest.raises(errors.DataError, match=message + '.*on_bad_image=skip'):
    chest_xray.read(folder)
  examples = chest_xray.read(folder, on_bad_image='skip')
  assert set(examples.skipped) == {path.stem}
  assert path.stem not in examples.image_ids


def test_the_tfds_builder_gives_image_label_and_patient(
    chest_phantoms: pathlib.Path,
) -> None:
  """The chest X-rays must be usable as any TFDS data set."""
  builder = builders.of('chest_xray')(chest_phantoms)
  assert builder.name == 'chest_xray'
  first = next(iter(builder.as_dataset(split='all').as_numpy_iterator()))
  assert first['image'].shape == (40, 48, 3)
  assert first['patient'].decode() == builder.examples.groups[0]
  assert first['published'].decode() in ('train', 'test')


def test_the_real_table(real_chest: Any) -> None:
  """FACTS of the public release: images, patients, kinds, subsets."""
  examples = chest_xray.read(real_chest)
  kinds = collections.Counter(examples.columns['kind'])
  lacking = 5856 - len(examples)  # Some copies have no val/.
  assert lacking in (0, 16)
  assert kinds['virus'] == 1493
  assert kinds['bacteria'] == (2772 if lacking else 2780)
  assert kinds['normal'] == (1575 if lacking else 1583)
  assert lacking == 0 or len(set(examples.groups)) == 4082
  subsets = {
      subset: {
          group
          for group, published in zip(
              examples.groups, examples.columns['published']
          )
          if published == subset
      }
      for subset in ('train', 'test')
  }
  assert not subsets['train'] & subsets['test']
