"""Protects the reading of the chest X-rays as their copies lay them out."""

from collections.abc import Callable
import pathlib
import shutil
from typing import Any

import pytest

from medxfer import errors
from medxfer.data import chest_xray
from medxfer.data import file_kinds


@pytest.fixture
def folder(
    chest_phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> pathlib.Path:
  """A copy that a test may lay out anew."""
  return shutil.copytree(chest_phantoms, tmp_path / 'xrays')


def _into(folder: pathlib.Path, inner: str, keep: bool = False) -> None:
  shutil.copytree(folder, folder.parent / 'tmp')
  if not keep:
    shutil.rmtree(folder)
  shutil.move(folder.parent / 'tmp', folder / inner)


def _lower(folder: pathlib.Path) -> None:
  for subset in ('train', 'test'):
    for name in chest_xray.CLASS_NAMES:
      (folder / subset / name).rename(folder / subset / name.lower())
    (folder / subset).rename(folder / subset.capitalize())


def _causes(folder: pathlib.Path, some: int | None = None) -> None:
  for path in list(folder.glob('*/PNEUMONIA/*'))[:some]:
    cause = 'bacteria' if 'bacteria' in path.name else 'virus'
    (path.parent / cause).mkdir(exist_ok=True)
    path.rename(path.parent / cause / path.name)


def _empty_val(folder: pathlib.Path) -> None:
  for name in chest_xray.CLASS_NAMES:
    (folder / 'val' / name).mkdir(parents=True, exist_ok=True)


@pytest.mark.parametrize(
    'change, left_out',
    [
        (lambda f: _into(f, 'chest_xray'), set()),
        (lambda f: _into(f, 'chest_xray/chest_xray'), set()),
        (lambda f: _into(f, 'archive/chest_xray'), set()),
        (lambda f: _into(f, 'chest_xray', keep=True), {file_kinds.COPY}),
        (lambda f: (f / '__MACOSX/train').mkdir(parents=True), set()),
        (_lower, set()),
        (_causes, set()),
        (lambda f: _causes(f, 5), set()),
        (_empty_val, set()),
    ],
)
def test_another_layout_is_the_same_data_set(
    chest_phantoms: pathlib.Path,
    folder: pathlib.Path,
    change: Callable[..., Any],
    left_out: set,
) -> None:
  """Not one image may be missing."""
  expected = chest_xray.read(chest_phantoms)
  change(folder)
  examples = chest_xray.read(folder)
  assert examples.image_ids == expected.image_ids
  assert examples.labels.tolist() == expected.labels.tolist()
  assert examples.groups == expected.groups
  assert examples.columns == expected.columns
  assert set(examples.left_out.values()) == left_out
  assert all(path.is_file() for path in examples.paths)


def test_a_copy_of_a_file_manager_is_left_out(folder: pathlib.Path) -> None:
  """`NAME (1).jpeg`, if it is the same; another image is refused."""
  path = sorted(folder.glob('train/NORMAL/*'))[0]
  copy = path.with_name(f'{path.stem} (1).jpeg')
  shutil.copy(path, copy)
  left_out = chest_xray.read(folder).left_out
  assert left_out == {copy.relative_to(folder).as_posix(): file_kinds.COPY}
  shutil.copy(sorted(folder.glob('train/NORMAL/*'))[-1], copy)
  with pytest.raises(errors.DataError, match='is not named like an image'):
    chest_xray.read(folder)


def test_what_systems_leave_is_said(folder: pathlib.Path) -> None:
  """A Mac's and a Windows PC's."""
  path = sorted(folder.glob('train/NORMAL/*'))[0]
  for name in ('.DS_Store', 'Thumbs.db', f'._{path.name}'):
    path.with_name(name).write_bytes(b'x')
  shutil.copy(path, folder / 'overview.jpeg')
  left_out = chest_xray.read(folder).left_out
  assert sorted(left_out.values()) == [file_kinds.SYSTEM] * 3 + [
      file_kinds.OUTSIDE
  ]


def _flat(folder: pathlib.Path) -> None:
  for name in chest_xray.CLASS_NAMES:
    shutil.move(folder / 'train' / name, folder / name)
  for subset in ('train', 'test'):
    shutil.rmtree(folder / subset)


def _packed(folder: pathlib.Path) -> None:
  for subset in ('train', 'test'):
    shutil.rmtree(folder / subset)
  (folder / 'chest_xray.zip').write_bytes(b'PK\x03\x04')


@pytest.mark.parametrize(
    'change, message',
    [
        (
            _flat,
            'holds .* images, such as .*arrange them so, or read them as a',
        ),
        (_packed, 'no image; unpack chest_xray.zip'),
        (
            lambda f: shutil.copytree(f / 'test/NORMAL', f / 'test/COVID19'),
            'COVID19: no class of chest_xray .*folder of your own',
        ),
    ],
)
def test_another_data_set_is_refused_in_words_that_fit(
    folder: pathlib.Path, change: Callable[..., Any], message: str
) -> None:
  """Nobody is told to fetch what lies there."""
  change(folder)
  with pytest.raises(errors.DataError, match=message) as raised:
    chest_xray.read(folder)
  assert 'Mendeley' not in str(raised.value)


def test_two_editions_that_differ_are_refused(folder: pathlib.Path) -> None:
  """Which of two images of one name is meant is nobody's guess."""
  _into(folder, 'chest_xray', keep=True)
  path = sorted(folder.glob('chest_xray/train/NORMAL/*'))[0]
  path.write_bytes(path.read_bytes() + b'x')
  with pytest.raises(errors.DataError, match='of that name is also at'):
    chest_xray.read(folder)
