"""Phantoms: the same bytes for the same seed, in HAM10000's layout."""

import collections
import hashlib
import multiprocessing
import pathlib

from PIL import Image
import pytest

from medxfer import errors
from medxfer.data import ham10000
from medxfer.data import phantom
from medxfer.data.phantom import layout
from medxfer.data.phantom import recipes

_SMALL = dict(images=50, size=(48, 36))


def _digests(folder: pathlib.Path) -> dict[str, str]:
  return {
      str(path.relative_to(folder)): hashlib.sha256(
          path.read_bytes()
      ).hexdigest()
      for path in sorted(folder.rglob('*')) if path.is_file()
  }



@pytest.fixture(name='small', scope='module')
def _small(tmp_path_factory) -> pathlib.Path:
  folder = tmp_path_factory.mktemp('phantom') / 'small'
  phantom.write_ham10000(folder, seed=3, **_SMALL)
  return folder


@pytest.fixture(name='large', scope='module')
def _large() -> list[dict[str, str]]:
  """The rows of a phantom as large as HAM10000; nothing is painted."""
  return [picture.row for picture in layout._table(10_015, 0)]


def test_same_seed_same_bytes(small, tmp_path):
  """A phantom run can be repeated anywhere: nothing unseeded goes in."""
  phantom.write_ham10000(tmp_path / 'again', seed=3, **_SMALL)
  assert _digests(tmp_path / 'again') == _digests(small)


def test_other_seed_other_images(small, tmp_path):
  """The seed reaches the pictures, not only the table."""
  phantom.write_ham10000(tmp_path / 'other', seed=4, **_SMALL)
  pictures = [
      {digest for name, digest in _digests(folder).items() if 'jpg' in name}
      for folder in (small, tmp_path / 'other')
  ]
  assert not pictures[0] & pictures[1]


def test_lesions_do_not_depend_on_how_many_are_asked_for(small, tmp_path):
  """Growing the phantom keeps the pictures it had."""
  phantom.write_ham10000(tmp_path / 'more', images=60, seed=3, size=(48, 36))
  few, more = (set(_digests(f).values()) for f in (small, tmp_path / 'more'))
  # A lesion that the smaller set cut short, and the table, may differ.
  assert len(few & more) >= 45


def test_layout_is_readable_as_ham10000(small):
  """The reader of the real data reads phantoms, so tests test the reader."""
  examples = ham10000.read(small)
  assert examples.class_names == recipes.CLASSES
  assert len(examples.image_ids) == 50
  assert sorted(path.name for path in small.iterdir()) == [
      'HAM10000_images_part_1', 'HAM10000_images_part_2',
      'HAM10000_metadata.csv',
  ]
  for part in layout.PARTS:
    assert len(list((small / part).iterdir())) == 25


def test_images_have_the_size_asked_for(small):
  """Width and height are not swapped."""
  with Image.open(next(small.glob('*/*.jpg'))) as image:
    assert (image.size, image.mode, image.format) == ((48, 36), 'RGB', 'JPEG')


@pytest.mark.parametrize('images', [50, 600])
def test_classes_are_imbalanced_and_can_be_split(images):
  """Every class has five lesions; nv stays far ahead, as in HAM10000."""
  pictures = layout._table(images, 0)
  assert len(pictures) == images
  counts = collections.Counter(picture.dx for picture in pictures)
  assert counts.most_common(1)[0][0] == 'nv'
  if images >= 600:
    assert counts['nv'] / images == pytest.approx(0.6695, abs=0.01)
    assert counts['mel'] / images == pytest.approx(0.111, abs=0.01)
  lesions = {(p.dx, p.row['lesion_id']) for p in pictures}
  for dx in recipes.CLASSES:
    assert sum(lesion[0] == dx for lesion in lesions) >= 5


def test_lesions_have_several_images_and_one_diagnosis(large):
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


def test_table_is_plausible_and_tells_nothing(large):
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
        (dict(images=49), 'minimum is 50'),
        (dict(images=50, seed=-1), 'negative'),
        (dict(images=50, size=(150, 16)), 'at least 32'),
    ],
)
def test_bad_arguments_are_refused_before_writing(tmp_path, wrong, said):
  """The message says what is allowed, and no folder is made."""
  with pytest.raises(errors.UsageError, match=said):
    phantom.write_ham10000(tmp_path / 'new', **wrong)
  assert not list(tmp_path.iterdir())


def test_full_folder_is_left_alone(tmp_path):
  """Phantoms never mix with, or replace, what a user has."""
  (tmp_path / 'keep').write_text('mine')
  with pytest.raises(errors.UsageError, match='not empty'):
    phantom.write_ham10000(tmp_path, **_SMALL)
  assert [path.name for path in tmp_path.iterdir()] == ['keep']


def test_failure_leaves_nothing_behind(tmp_path, monkeypatch):
  """A full disk half-way is a DataError and no half data set."""
  view, seen = layout._view, []

  def fails_later(*args):
    seen.append(args)
    if len(seen) > 5:
      raise OSError(28, 'No space left on device')
    return view(*args)

  monkeypatch.setattr(layout, '_view', fails_later)
  with pytest.raises(errors.DataError, match='No space left'):
    phantom.write_ham10000(tmp_path / 'new', **_SMALL)
  assert not list(tmp_path.iterdir())


def test_cache_writes_once_and_names_its_parameters(tmp_path, monkeypatch):
  """The second call reads; another version would get another folder."""
  folder = phantom.cached_ham10000(tmp_path, seed=3, **_SMALL)
  assert f'v{phantom.VERSION}_n50_s3_48x36' in folder.name
  monkeypatch.setattr(layout, '_view', None)
  assert phantom.cached_ham10000(tmp_path, seed=3, **_SMALL) == folder


def test_damaged_cache_is_refused(tmp_path):
  """A cache that lost an image is named, not used."""
  folder = phantom.cached_ham10000(tmp_path, seed=3, **_SMALL)
  next(folder.glob('*/*.jpg')).unlink()
  with pytest.raises(errors.DataError, match='49 of 50'):
    phantom.cached_ham10000(tmp_path, seed=3, **_SMALL)


def _ask(cache: pathlib.Path) -> str:
  return str(phantom.cached_ham10000(cache, seed=3, **_SMALL))


def test_two_processes_may_fill_the_cache_at_once(small, tmp_path):
  """Both get the whole set and nothing is left beside it."""
  with multiprocessing.get_context('spawn').Pool(2) as pool:
    folders = pool.map(_ask, [tmp_path, tmp_path], chunksize=1)
  assert folders[0] == folders[1]
  assert [str(path) for path in tmp_path.iterdir()] == folders[:1]
  assert _digests(pathlib.Path(folders[0])) == _digests(small)
