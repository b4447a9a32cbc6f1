"""Phantoms: the same bytes for the same seed, in public layouts."""

import collections
import dataclasses
import hashlib
import multiprocessing
import pathlib
from typing import Any

import numpy as np
from PIL import Image
import pytest
from sklearn import metrics

from medxfer import errors
from medxfer.data import chest_xray
from medxfer.data import ham10000
from medxfer.data import phantom
from medxfer.data.phantom import drawing
from medxfer.data.phantom import thoraxes
from medxfer.data.phantom import writing

_SMALL = {
    'ham10000': dict(images=50, size=(48, 36)),
    'chest_xray': dict(images=40, size=(48, 40)),
}


def _plan(name: str, images: int) -> list[writing.Picture]:
  """What would be painted; nothing is."""
  return phantom.KINDS[name].plan(images, 0)


def _digests(folder: pathlib.Path) -> dict[str, str]:
  return {
      str(path.relative_to(folder)): hashlib.sha256(
          path.read_bytes()
      ).hexdigest()
      for path in sorted(folder.rglob('*'))
      if path.is_file()
  }


@pytest.fixture(name='name', scope='module', params=phantom.KINDS)
def _name(request: pytest.FixtureRequest) -> str:
  return request.param


@pytest.fixture(name='either', scope='module')
def _either(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> pathlib.Path:
  """A small set of one kind of phantoms."""
  folder = tmp_path_factory.mktemp('phantom') / name
  phantom.KINDS[name].write(folder, seed=3, **_SMALL[name])
  return folder


@pytest.fixture(name='small', scope='module')
def _small(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  folder = tmp_path_factory.mktemp('phantom') / 'small'
  phantom.write_ham10000(folder, seed=3, **_SMALL['ham10000'])
  return folder


@pytest.fixture(name='large', scope='module')
def _large() -> list[dict[str, str]]:
  """The rows of a phantom as large as HAM10000; nothing is painted."""
  return [picture.row for picture in _plan('ham10000', 10_015)]


def test_same_seed_same_bytes(
    name: str, either: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """A phantom run can be repeated anywhere: nothing unseeded goes in."""
  phantom.KINDS[name].write(tmp_path / 'again', seed=3, **_SMALL[name])
  assert _digests(tmp_path / 'again') == _digests(either)


def test_other_seed_other_images(
    name: str, either: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """The seed reaches the pictures, not only the table."""
  phantom.KINDS[name].write(tmp_path / 'other', seed=4, **_SMALL[name])
  pictures = [
      {digest for name, digest in _digests(folder).items() if '.jp' in name}
      for folder in (either, tmp_path / 'other')
  ]
  assert len(pictures[0]) == _SMALL[name]['images']
  assert not pictures[0] & pictures[1]


def test_looks_do_not_depend_on_how_many_are_asked_for(
    name: str, either: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """Growing the phantom keeps the pictures it had."""
  images = _SMALL[name]['images']
  phantom.KINDS[name].write(
      tmp_path / 'more', images=images + 10, seed=3, size=_SMALL[name]['size']
  )
  few, more = (set(_digests(f).values()) for f in (either, tmp_path / 'more'))
  # What the smaller set cut short, and the table, may differ.
  assert len(few & more) >= 0.9 * images


def test_layout_is_readable_as_ham10000(small: pathlib.Path) -> None:
  """The reader of the real data reads phantoms, so tests test the reader."""
  examples = ham10000.read(small)
  assert examples.class_names == ham10000.CLASS_NAMES
  assert len(examples.image_ids) == 50
  assert sorted(path.name for path in small.iterdir()) == [
      'HAM10000_images_part_1',
      'HAM10000_images_part_2',
      'HAM10000_metadata.csv',
  ]
  for part in small.glob('*part*'):
    assert len(list(part.iterdir())) == 25


def test_images_have_the_size_asked_for(small: pathlib.Path) -> None:
  """Width and height are not swapped."""
  with Image.open(next(small.glob('*/*.jpg'))) as image:
    assert (image.size, image.mode, image.format) == ((48, 36), 'RGB', 'JPEG')


@pytest.mark.parametrize('images', [50, 600])
def test_classes_are_imbalanced_and_can_be_split(images: int) -> None:
  """Every class has five lesions; nv stays far ahead, as in HAM10000."""
  pictures = _plan('ham10000', images)
  assert len(pictures) == images
  counts = collections.Counter(picture.row['dx'] for picture in pictures)
  assert counts.most_common(1)[0][0] == 'nv'
  if images >= 600:
    assert counts['nv'] / images == pytest.approx(0.6695, abs=0.01)
    assert counts['mel'] / images == pytest.approx(0.111, abs=0.01)
  lesions = {(p.row['dx'], p.row['lesion_id']) for p in pictures}
  for dx in ham10000.CLASS_NAMES:
    assert sum(lesion[0] == dx for lesion in lesions) >= 5


def test_lesions_have_several_images_and_one_diagnosis(large: list) -> None:
  """Leaks between sides of a split can happen, as in the real data."""
  lesions = collections.defaultdict(list)
  for row in large:
    lesions[row['lesion_id']].append(row)
  assert 1.28 < len(large) / len(lesions) < 1.40
  assert max(map(len, lesions.values())) in (4, 5, 6)
  for views in lesions.values():
    for column in set(ham10000.COLUMNS) - {'image_id'}:
      assert len({row[column] for row in views}) == 1
  assert len({row['image_id'] for row in large}) == len(large)


def test_table_is_plausible_and_tells_nothing(large: list) -> None:
  """No column but dx_type differs between classes beyond chance."""
  ages = [row['age'] for row in large]
  assert 20 < ages.count('') < 120
  assert all(float(age) % 5 == 0 for age in ages if age)
  for dx in ('nv', 'mel', 'bkl'):
    own = [row for row in large if row['dx'] == dx]
    known = [float(row['age']) for row in own if row['age']]
    assert sum(known) / len(known) == pytest.approx(51.9, abs=2)
    numbers = [int(row['image_id'][5:]) for row in own]
    assert sum(numbers) / len(own) == pytest.approx(29_313, abs=350)


@pytest.mark.parametrize(
    'wrong, said',
    [
        (dict(images=-1), 'the minimum is {images}'),
        (dict(seed=-1), 'negative'),
        (dict(size=(150, 16)), 'at least 32'),
    ],
)
def test_bad_arguments_are_refused_before_writing(
    name: str, tmp_path: pathlib.Path, wrong: dict, said: str
) -> None:
  """The message says what is allowed, and no folder is made."""
  small = _SMALL[name]
  if 'images' in wrong:
    wrong = dict(images=small['images'] - 1)
  with pytest.raises(errors.UsageError, match=said.format(**small)):
    phantom.KINDS[name].write(tmp_path / 'new', **small | wrong)
  assert phantom.KINDS[name].smallest() == small['images']
  assert not list(tmp_path.iterdir())


def test_full_folder_is_left_alone(name: str, tmp_path: pathlib.Path) -> None:
  """Phantoms never mix with, or replace, what a user has."""
  (tmp_path / 'keep').write_text('mine')
  with pytest.raises(errors.UsageError, match='not empty'):
    phantom.KINDS[name].write(tmp_path, **_SMALL[name])
  assert [path.name for path in tmp_path.iterdir()] == ['keep']


def test_failure_leaves_nothing_behind(
    name: str, tmp_path: pathlib.Path
) -> None:
  """A full disk half-way is a DataError and no half data set."""
  kind, seen = phantom.KINDS[name], []

  def fails_later(*args: Any) -> Image.Image | None:
    seen.append(args)
    if len(seen) > 5:
      raise OSError(28, 'No space left on device')
    return kind.paint(*args)

  with pytest.raises(errors.DataError, match='No space left'):
    dataclasses.replace(kind, paint=fails_later).write(
        tmp_path / 'new', **_SMALL[name]
    )
  assert not list(tmp_path.iterdir())


def test_cache_writes_once_and_names_its_parameters(
    name: str, tmp_path: pathlib.Path
) -> None:
  """The second call reads; another version gets another folder."""
  kind, images = phantom.KINDS[name], _SMALL[name]['images']
  folder = phantom.cached(name, tmp_path, images=images)
  assert folder.name == f'{name}_phantom_v{kind.version}_n{images}'
  # The folders of version 1 also named the seed and the size.
  assert kind.version > 1
  reader = dataclasses.replace(kind, paint=None)
  assert reader.cached(tmp_path, images=images) == folder
  newer = dataclasses.replace(kind, version=kind.version + 1)
  assert newer.cached(tmp_path, images=images) != folder


def test_damaged_cache_is_refused(name: str, tmp_path: pathlib.Path) -> None:
  """A cache that lost an image is named, not used."""
  images = _SMALL[name]['images']
  folder = phantom.cached(name, tmp_path, images=images)
  next(folder.rglob('*.jp*g')).unlink()
  with pytest.raises(errors.DataError, match=f'{images - 1} of {images}'):
    phantom.cached(name, tmp_path, images=images)


def _ask(cache: pathlib.Path) -> str:
  return str(phantom.cached('ham10000', cache, images=50))


def test_two_processes_may_fill_the_cache_at_once(
    tmp_path: pathlib.Path,
) -> None:
  """Both get the whole set and nothing is left beside it."""
  cache = tmp_path / 'cache'
  with multiprocessing.get_context('spawn').Pool(2) as pool:
    folders = pool.map(_ask, [cache, cache], chunksize=1)
  assert folders[0] == folders[1]
  assert [str(path) for path in cache.iterdir()] == folders[:1]
  phantom.write_ham10000(tmp_path / 'alone', images=50)
  assert _digests(pathlib.Path(folders[0])) == _digests(tmp_path / 'alone')


@pytest.mark.parametrize('images', [40, 600, 5856])
def test_chest_xrays_have_the_shares_of_the_real_ones(images: int) -> None:
  """One normal to 2.7 with pneumonia, a tenth published as test."""
  pictures = _plan('chest_xray', images)
  assert len({picture.path for picture in pictures}) == images
  kinds = collections.Counter(
      chest_xray.KINDS[picture.code] for picture in pictures
  )
  assert kinds['normal'] / images == pytest.approx(0.27, abs=0.01)
  assert kinds['virus'] / images == pytest.approx(0.26, abs=0.02)
  tests = sum(picture.path.startswith('test/') for picture in pictures)
  assert tests / images == pytest.approx(0.1, abs=0.05)
  persons = {(picture.code, picture.group) for picture in pictures}
  assert images < 600 or 1.3 < images / len(persons) < 1.6


def test_phantom_patients_are_read_as_they_were_painted(
    chest_phantoms: pathlib.Path,
) -> None:
  """The reader finds the persons; a number is used for two of them."""
  examples = chest_xray.read(chest_phantoms)
  pictures = _plan('chest_xray', len(examples))
  expected = collections.defaultdict(set)
  for picture in pictures:
    expected[picture.code, picture.group].add(pathlib.Path(picture.path).stem)
  found = collections.defaultdict(set)
  for image_id, group in zip(examples.image_ids, examples.groups):
    found[group].add(image_id)
  assert sorted(map(sorted, found.values())) == sorted(
      map(sorted, expected.values())
  )
  assert {'person1_bacteria', 'person1_virus'} <= set(found)
  sides = {
      (group, side)
      for group, side in zip(examples.groups, examples.columns['published'])
  }
  assert len(sides) == len(found)


def test_chest_xrays_are_grey_and_now_and_then_rgb(
    tmp_path: pathlib.Path,
) -> None:
  """As in the original download; a reader must take both."""
  phantom.write_chest_xray(tmp_path / 'x', images=80, size=(40, 32))
  modes = collections.Counter()
  for path in (tmp_path / 'x').glob('*/*/*.jpeg'):
    with Image.open(path) as image:
      assert (image.size, image.format) == ((40, 32), 'JPEG')
      modes[image.mode] += 1
  assert set(modes) == {'L', 'RGB'} and modes['L'] > 60


def test_brightness_does_not_tell_pneumonia(tmp_path: pathlib.Path) -> None:
  """Each film is exposed anew: a network has to look into the lungs."""
  phantom.write_chest_xray(tmp_path / 'x', images=150, size=(48, 40))
  examples = chest_xray.read(tmp_path / 'x')
  means = [np.asarray(Image.open(path)).mean() for path in examples.paths]
  assert 0.35 < metrics.roc_auc_score(examples.labels, means) < 0.65


def _opacity(kind: str, seed: int) -> tuple:
  """Opacity and lung, [h, w] each, and the columns' x of one person."""
  frame = drawing.Frame(96, 80)
  _, lungs = thoraxes.chest(writing.generator(seed, 1), frame)
  added = thoraxes.opacity(kind, writing.generator(seed, 2), frame)
  return added * lungs, lungs, frame.grid()[0]


@pytest.mark.parametrize('seed', range(4))
def test_pneumonia_is_in_the_lungs(seed: int) -> None:
  """Viruses cloud both of them, bacteria a part, health nothing."""
  assert not _opacity('normal', seed)[0].any()
  added, lungs, x = _opacity('virus', seed)
  for side in (x < 0, x > 0):
    assert (added[side] > 0.03).sum() > 0.5 * lungs[side].sum()
  added, lungs, _ = _opacity('bacteria', seed)
  assert added.max() > 0.15
  assert 0.02 < (added > 0.1).sum() / lungs.sum() < 0.6
