"""Protects the reading of a folder of one's own: nothing is guessed."""

from collections.abc import Callable
import os
import pathlib
import shutil
from typing import Any

from PIL import Image
import pytest

from medxfer import errors
from medxfer.data import folders
from medxfer.data import pipeline

_ODD = ('<script>', 'два слова', '肺炎', 'a,b "c"')


def _fill(folder: pathlib.Path, *names: Any) -> pathlib.Path:
  for number, name in enumerate(names):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('L', (8, 8), 9 * number).save(path)
  return folder


@pytest.fixture
def plain(tmp_path: pathlib.Path) -> pathlib.Path:
  """Two classes, one with a folder below it."""
  return _fill(
      tmp_path / 'plain',
      'b/1.png',
      'b/2.JPG',
      'a/x/1.tiff',
      'a/2.webp',
      'a/3.bmp',
  )


@pytest.fixture
def sided(tmp_path: pathlib.Path) -> pathlib.Path:
  """Two classes in three subsets."""
  return _fill(
      tmp_path / 'sided',
      *(
          f'{subset}/{name}/{i}.png'
          for subset in ('train', 'val', 'test')
          for name in 'ab'
          for i in range(2)
      ),
  )


def test_classes_are_folders_and_ids_are_paths(plain: pathlib.Path) -> None:
  """Ids must be stable, unique, and lead back to the file."""
  examples = folders.read(plain)
  assert examples.class_names == ('a', 'b')
  assert examples.image_ids == (
      'a/2.webp',
      'a/3.bmp',
      'a/x/1.tiff',
      'b/1.png',
      'b/2.JPG',
  )
  assert examples.labels.tolist() == [0, 0, 0, 1, 1]
  assert examples.paths == tuple(plain / name for name in examples.image_ids)
  assert examples.groups == examples.image_ids
  assert 'published' not in examples.columns


def test_published_sides_are_kept(sided: pathlib.Path) -> None:
  """The subset is part of the id: the same name may stand on each."""
  examples = folders.read(sided)
  assert len(examples) == 12 and examples.class_names == ('a', 'b')
  for name, label, subset in zip(
      examples.image_ids, examples.labels, examples.columns['published']
  ):
    assert name.startswith(f'{subset}/{"ab"[label]}/')
  shutil.rmtree(sided / 'val')
  assert set(folders.read(sided).columns['published']) == {'train', 'test'}


def test_odd_names_and_strangers_do_no_harm(tmp_path: pathlib.Path) -> None:
  """Markup, spaces, commas and other scripts are names like any other."""
  _fill(tmp_path, *(f'{name}/{name}.png' for name in _ODD))
  for stranger in (
      '.DS_Store',
      'notes.txt',
      f'{_ODD[0]}/._{_ODD[0]}.png',
      f'{_ODD[0]}/Thumbs.db',
  ):
    (tmp_path / stranger).write_bytes(b'x')
  (tmp_path / '__MACOSX').mkdir()
  examples = folders.read(tmp_path)
  assert examples.class_names == tuple(sorted(_ODD))
  assert len(pipeline.decode(examples, (8, 8)).examples) == len(_ODD)


@pytest.mark.parametrize(
    'change, message',
    [
        (shutil.rmtree, 'no such folder.*data.dir'),
        (lambda f: [shutil.rmtree(f / n) for n in 'ab'], 'no folder of images'),
        (lambda f: shutil.rmtree(f / 'a'), "only one class, 'b'"),
        (
            lambda f: shutil.rmtree(f / 'a') or (f / 'a').symlink_to('gone'),
            "only one class, 'b' .*1 broken link .a",
        ),
        (
            lambda f: [shutil.rmtree(f / n) for n in 'ab']
            and _fill(f, 'c/patient1/1.png', 'c/patient2/1.png'),
            "only one class, 'c'",
        ),
        (lambda f: (f / 'c').mkdir(), 'c: no image; fill the folder or remove'),
        (lambda f: (f / 'c' / 'd').mkdir(parents=True), 'c: no image'),
        (lambda f: _fill(f, 'A/1.png'), "'A' and 'a' differ only in upper"),
        (
            lambda f: _fill(f, 'ä/1.png', 'a\u0308/1.png'),
            'differ only in upper',
        ),
        (
            lambda f: _fill(f, 'train/a/1.png'),
            'train/ is a subset.* but a/ beside',
        ),
        (
            lambda f: _fill(f, 'Train/a/1.png'),
            'Train/ is a subset.* but a/ beside',
        ),
        (lambda f: _fill(f, 'testing/a/1.png'), 'testing/ is a subset'),
        (
            lambda f: _fill(f, 'validation set/1.png'),
            'validation set/ is a subset',
        ),
        (
            lambda f: (f / 'c').mkdir() or (f / 'c/1.txt').write_text('x'),
            'c: no image .*c/1.txt',
        ),
        (lambda f: _fill(f, 'a\nb/1.png'), r'a\\nb.*rename it'),
        (lambda f: _fill(f, 'a/x\ny/1.png'), r'a/x\\ny.*rename it'),
        (lambda f: (f / 'a/1\r.png').write_bytes(b'x'), r'1\\r.png.*rename it'),
        (
            lambda f: (f / 'a' / os.fsdecode(b'\xff.png')).write_bytes(b'x'),
            r'\\udcff.png.*no UTF-8',
        ),
    ],
)
def test_a_wrong_folder_is_refused(
    plain: pathlib.Path, change: Callable[..., Any], message: str
) -> None:
  """Each would train a network on something else than was meant."""
  change(plain)
  with pytest.raises(errors.DataError, match=message):
    folders.read(plain)


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda f: (f / 'val' / 'c').mkdir(), 'val/c: no image'),
        (lambda f: _fill(f, 'c/1.png'), 'train/ is a subset.* but c/ beside'),
        (lambda f: _fill(f, 'valid/a/1.png'), 'subset val: val/ and valid/'),
        (lambda f: _fill(f, 'test/A/1.png'), "'A' and 'a' differ only"),
        (
            lambda f: [
                shutil.rmtree(f / s / 'a') for s in ('train', 'val', 'test')
            ],
            "only one class, 'b'",
        ),
    ],
)
def test_sides_that_cannot_be_read_are_refused(
    sided: pathlib.Path, change: Callable[..., Any], message: str
) -> None:
  """Whatever is guessed would mix subsets or lose a class."""
  change(sided)
  with pytest.raises(errors.DataError, match=message):
    folders.read(sided)


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda p: p.write_bytes(b''), 'is empty or not a file'),
        (
            lambda p: p.unlink() or p.symlink_to('/etc/passwd'),
            'is a link; .* not an image',
        ),
        (
            lambda p: p.unlink() or p.symlink_to('nowhere'),
            'is a link that leads to nothing',
        ),
        (lambda p: p.unlink() or os.mkfifo(p), 'is empty or not a file'),
    ],
)
def test_a_bad_image_fails_or_is_left_out_and_listed(
    plain: pathlib.Path, change: Callable[..., Any], message: str
) -> None:
  """A link may lead out of the data; a pipe would wait for ever."""
  change(plain / 'a' / '3.bmp')
  with pytest.raises(errors.DataError, match=message):
    folders.read(plain)
  examples = folders.read(plain, on_bad_image='skip')
  assert set(examples.skipped) == {'a/3.bmp'}
  assert len(examples) == 4 and 'a/3.bmp' not in examples.groups


def _all_notes(folder: pathlib.Path, **options: Any) -> str:
  return ' | '.join(folders.read(folder, **options).notes)


def test_sources_and_groups_are_read_and_said(tmp_path: pathlib.Path) -> None:
  """Before, a network learned to tell the centres apart."""
  names = [
      f'{centre}/{label}/patient{i}/{j}.png'
      for centre in ('C1', 'C2')
      for label in ('benign', 'malignant')
      for i in range(3)
      for j in range(2)
  ]
  examples = folders.read(_fill(tmp_path, *names))
  assert examples.class_names == ('benign', 'malignant')
  assert examples.columns == {'source': ('C1',) * 12 + ('C2',) * 12}
  assert examples.groups_known
  assert set(examples.groups) == {
      f'C{c}/patient{i}' for c in (1, 2) for i in range(3)
  }
  said = ' | '.join(examples.notes)
  assert 'C1/, C2/ are read as sources' in said
  assert 'patient0/, patient1/, ... are read as groups' in said
  assert '6 groups, such as C1/patient0, lie in two or more classes' in said


def test_a_table_of_groups_overrules_the_folders(
    tmp_path: pathlib.Path,
) -> None:
  """Who made a table knows better; and the key undoes what was found."""
  folder = _fill(
      tmp_path / 'data',
      *(
          f'{label}/patient{i}/{label}{i}{j}.png'
          for label in 'ab'
          for i in range(3)
          for j in range(2)
      ),
  )
  table = _table(
      folder,
      'image,group',
      *(
          f'{label}{i}{j}.png,q{j}'
          for label in 'ab'
          for i in range(3)
          for j in range(2)
      ),
  )
  examples = folders.read(folder, groups=table)
  assert set(examples.groups) == {'q0', 'q1'} and not examples.notes
  examples = folders.read(folder, levels='class')
  assert examples.groups == examples.image_ids and not examples.groups_known


def test_a_wrapper_is_entered_and_said(tmp_path: pathlib.Path) -> None:
  """Archives wrap their folders; ids say where an image lies."""
  _fill(tmp_path, 'dataset/a/1.png', 'dataset/b/1.png')
  examples = folders.read(tmp_path)
  assert examples.image_ids == ('dataset/a/1.png', 'dataset/b/1.png')
  assert examples.notes == ('dataset/: the only folder there, entered',)
  (tmp_path / 'dataset/c').mkdir()
  with pytest.raises(errors.DataError, match='dataset/c: no image'):
    folders.read(tmp_path)


@pytest.mark.parametrize('data', ['isic', 'isic/ISIC_Training_Input'])
def test_images_beside_a_table_of_labels_are_refused_by_its_name(
    tmp_path: pathlib.Path, data: str
) -> None:
  """ISIC 2019 has no folders of classes."""
  _fill(tmp_path, *(f'isic/ISIC_Training_Input/{i}.jpg' for i in range(3)))
  (tmp_path / 'isic/ISIC_GroundTruth.csv').write_text('image,MEL,NV')
  with pytest.raises(
      errors.DataError, match='ISIC_GroundTruth.csv are read by .*class by it'
  ):
    folders.read(tmp_path / data)


def test_links_are_followed_and_said(tmp_path: pathlib.Path) -> None:
  """People link rather than copy; a class, an image, or all of it."""
  source = _fill(tmp_path / 'source', 'a/1.png', 'a/2.png', 'b/1.png')
  data = tmp_path / 'data'
  (data / 'b').mkdir(parents=True)
  (data / 'a').symlink_to(source / 'a')
  (data / 'b/x.png').symlink_to(source / 'b/1.png')
  (data / 'b/y.png').symlink_to('x.png')
  examples = folders.read(data)
  assert examples.image_ids == ('a/1.png', 'a/2.png', 'b/x.png', 'b/y.png')
  said = ' | '.join(examples.notes)
  assert f'4 images lie elsewhere, such as a/1.png at {source}/a/1.png' in said
  assert (
      '1 images are the same file as another image, such as b/y.png and '
      'b/x.png'
  ) in said
  (tmp_path / 'root').symlink_to(source)
  assert len(folders.read(tmp_path / 'root')) == 3
  assert not folders.read(tmp_path / 'root').notes


def test_sides_are_said_and_readmes_do_no_harm(sided: pathlib.Path) -> None:
  """As Roboflow exports; a subset without labels, and one without images."""
  (sided / 'README.roboflow.txt').write_text('x')
  (sided / 'labels').mkdir()
  (sided / 'labels/1.txt').write_text('x')
  shutil.rmtree(sided / 'test')
  (sided / 'test/a').mkdir(parents=True)
  assert 'test/ holds no image and is not used' in _all_notes(sided)
  shutil.rmtree(sided / 'test')
  _fill(sided, 'test/1.png', 'test/2.png')
  examples = folders.read(sided)
  assert set(examples.columns['published']) == {'train', 'val'}
  assert {
      name: why
      for name, why in examples.left_out.items()
      if name.startswith('test')
  } == {'test/1.png': 'unlabelled image', 'test/2.png': 'unlabelled image'}
  assert 'README.roboflow.txt' in examples.left_out


def test_sides_of_other_names_are_named(sided: pathlib.Path) -> None:
  """Whose names nobody can guess."""
  (sided / 'test').rename(sided / 'Exam')
  with pytest.raises(errors.DataError, match='Exam/ beside it.*data.subsets'):
    folders.read(sided)
  examples = folders.read(sided, subsets={'Exam': 'test'})
  assert (
      examples.columns['published']
      == ('test',) * 4 + ('train',) * 4 + ('val',) * 4
  )
  with pytest.raises(errors.UsageError, match="no folder 'Quiz'"):
    folders.read(sided, subsets={'Exam': 'test', 'Quiz': 'val'})


def _table(folder: pathlib.Path, *rows: Any) -> pathlib.Path:
  path = folder.parent / 'groups.csv'
  path.write_text('\n'.join(rows) + '\n', 'utf-8')
  return path


_ROWS = (
    'image,group',
    'a/2.webp,p1',
    '3.bmp,p1',
    'a/x/1.tiff,p2',
    'b/1.png,p 3',
    '2.JPG,肺',
)


def test_groups_are_read_by_id_or_name(plain: pathlib.Path) -> None:
  """A hospital's table names files, not paths, and comes from Excel."""
  table = _table(plain, *_ROWS)
  for encoding, comma in (('utf-8', ','), ('utf-16', ';')):
    table.write_text(table.read_text('utf-8').replace(',', comma), encoding)
    groups = folders.read(plain, groups=table).groups
    assert groups == ('p1', 'p1', 'p2', 'p 3', '肺')


def test_further_columns_of_a_table_of_groups_are_kept(
    plain: pathlib.Path,
) -> None:
  """Results may be divided by them, or one source be tested on."""
  rows = [f'{row},{i % 2},x' for i, row in enumerate(_ROWS[1:])]
  table = _table(plain, 'image,group,source,sex', *rows)
  columns = folders.read(plain, groups=table).columns
  assert set(columns) == {'source', 'sex'}
  assert set(columns['source']) == {'0', '1'} and set(columns['sex']) == {'x'}


@pytest.mark.parametrize(
    'rows, message',
    [
        ((*_ROWS[:2], *_ROWS[4:]), "without a row: 2, the first is 'a/3.bmp'"),
        ((*_ROWS, 'c/1.png,p1'), "row 7: there is no image 'c/1.png'"),
        (
            (*_ROWS, 'a/3.bmp,p1'),
            "row 7: the image 'a/3.bmp' has a row already",
        ),
        ((*_ROWS[:5], '2.JPG,'), 'row 6: the group is empty'),
        ((*_ROWS, '2.JPG,p,q'), 'row 7: too many or too few'),
        ((*_ROWS, '2.JPG'), 'row 7: too many or too few'),
        (('file,patient', *_ROWS[1:]), 'the first row is image,group'),
        (('',), 'the first row is image,group'),
        (('image,group', 'a/2.webp,"p1'), 'not a CSV table'),
    ],
)
def test_a_wrong_table_of_groups_is_refused_by_row(
    plain: pathlib.Path, rows: tuple, message: str
) -> None:
  """A group that is guessed at lets a patient into two subsets."""
  with pytest.raises(errors.DataError, match=message):
    folders.read(plain, groups=_table(plain, *rows))


def test_an_image_that_is_left_out_needs_no_group(plain: pathlib.Path) -> None:
  """Otherwise a bad image had to be kept in the table, or out of it."""
  (plain / 'a' / '3.bmp').write_bytes(b'')
  for rows in (_ROWS, (*_ROWS[:2], *_ROWS[3:])):
    examples = folders.read(
        plain, groups=_table(plain, *rows), on_bad_image='skip'
    )
    assert examples.groups == ('p1', 'p2', 'p 3', '肺')


def test_a_name_that_two_images_have_needs_its_folder(
    plain: pathlib.Path,
) -> None:
  """Which of the two is meant is nobody's guess."""
  _fill(plain, 'a/1.png')
  with pytest.raises(errors.DataError, match="row 2: 2 images are called '1"):
    folders.read(plain, groups=_table(plain, 'image,group', '1.png,p'))


def test_a_missing_table_of_groups_is_named(plain: pathlib.Path) -> None:
  """A wrong path must not mean: no groups."""
  with pytest.raises(errors.DataError, match='nowhere.csv: cannot be read'):
    folders.read(plain, groups=plain / 'nowhere.csv')
