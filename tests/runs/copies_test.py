"""Protects what a run does about copies, from the files to the summary."""

from collections.abc import Callable
import csv
import json
import pathlib
from typing import Any

import ml_collections
import numpy as np
from PIL import Image
from PIL import ImageFilter
from PIL import ImageOps
import pytest

from medxfer import errors
from medxfer import spec as specs
from medxfer.data import pixel_cache
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import summary as summaries
from medxfer.recipes import folder
from medxfer.runs import evaluate
from medxfer.runs import run

_EACH = 20  # Images a class, of which every second has a copy.


def _save(
    path: pathlib.Path,
    seed: int,
    change: Callable[..., Any] = lambda image: image,
) -> None:
  path.parent.mkdir(parents=True, exist_ok=True)
  draw = np.random.default_rng(seed)
  image = Image.fromarray(draw.integers(0, 255, (20, 20, 3), np.uint8))
  image = image.resize((64, 48), Image.Resampling.BICUBIC)
  change(image.filter(ImageFilter.GaussianBlur(1))).save(path)


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  """Two classes of noise; copies are mirrored and saved as JPEG."""
  root = tmp_path_factory.mktemp('copies')
  for c, name in enumerate(('normal', 'sick')):
    for i in range(_EACH):
      _save(root / name / f'{i:02}.png', 100 * c + i)
      if i % 2:
        _save(root / name / f'{i:02}copy.jpg', 100 * c + i, ImageOps.mirror)
  with (root / 'groups.csv').open('w', newline='') as file:
    names = [
        f'{path.parent.name}/{path.name}' for path in sorted(root.glob('*/*'))
    ]
    csv.writer(file).writerows(
        [('image', 'group'), *((name, f'of {name}') for name in names)]
    )
  return root


def _config(root: pathlib.Path, **data: Any) -> ml_collections.ConfigDict:
  config = folder.get_config('decision_tree')
  config.data.update(dir=str(root), image_size=(32, 32), **data)
  config.evaluation.resamples = 50
  return config


def _run(path: pathlib.Path, config: ml_collections.ConfigDict) -> dict | None:
  run.run(specs.from_config(config), path)
  return json.loads((path / 'summary.json').read_text())


def test_grouped_keeps_copies_on_one_side(
    data: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """Case 30: the table of patients calls each image a patient's own."""
  summary = _run(
      tmp_path / 'run',
      _config(data, split='grouped', groups=str(data / 'groups.csv')),
  )
  assert summary['leak'] == {
      'images': 0,
      'groups': 0,
      'share': 0.0,
      'duplicates': 0,
      'copies': 0,
      'copies_share': 0.0,
      'sets_of_copies': _EACH,
  }
  assert summary['test_without_copies'] is None
  with (tmp_path / 'run' / 'split.csv').open() as file:
    rows = list(csv.DictReader(file))
  for i in range(0, _EACH, 2):
    same = [
        row for row in rows if row['image_id'].startswith(f'normal/{i + 1:02}')
    ]
    assert len(same) == 2
    assert len({(row['group'], row['split']) for row in same}) == 1
  assert f'{2 * _EACH} images in sets of copies' in capsys.readouterr().out


@pytest.mark.parametrize('how', ['group', 'keep'])
def test_copies_across_the_sides_are_a_leak_that_is_said(
    data: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    how: str,
) -> None:
  """By image they are dealt apart; the score without them stands beside."""
  path = tmp_path / 'run'
  summary = _run(path, _config(data, split='by_image', copies=how))
  with (path / 'split.csv').open() as file:
    subset = {row['image_id']: row['split'] for row in csv.DictReader(file)}
    file.seek(0)
    groups = {row['image_id']: row['group'] for row in csv.DictReader(file)}
  picture = lambda name: name[: name.rindex('/') + 3]
  train = {picture(name) for name, where in subset.items() if where == 'train'}
  copied = {
      name
      for name, where in subset.items()
      if where == 'test' and picture(name) in train
  }
  leak, n = summary['leak'], summary['n']['test']
  assert 0 < len(copied) < n
  assert (
      leak['images'],
      leak['copies'],
      leak['copies_share'],
      leak['sets_of_copies'],
  ) == (None, len(copied), len(copied) / n, _EACH)
  scored = predictions_lib.with_groups(
      predictions_lib.read(path / 'predictions_test.csv'), groups
  )
  right = [
      int(a) == b
      for name, a, b in zip(scored.image_ids, scored.predicted, scored.labels)
      if name not in copied
  ]
  without = summary['test_without_copies']
  assert without['n'] == len(right) == n - len(copied)
  assert without['accuracy'] == pytest.approx(np.mean(right))
  assert (
      summaries.split_summary(scored, resamples=50, seed=0) == summary['test']
  )
  out = capsys.readouterr().out
  assert f'copies: {len(copied)} test images (' in out
  assert 'copies=drop' in out
  assert f'without the {len(copied)} copies of training images' in out
  assert (len(set(groups.values())) < len(groups)) == (how == 'group')


def test_drop_leaves_one_of_each(
    data: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """And lists the others with the image that they are copies of."""
  summary = _run(
      tmp_path / 'run', _config(data, split='by_image', copies='drop')
  )
  assert summary['skipped'] == _EACH and summary['leak']['copies'] == 0
  with (tmp_path / 'run' / 'skipped.csv').open() as file:
    rows = list(csv.DictReader(file))
  assert rows[0] == {
      'image_id': 'normal/01copy.jpg',
      'reason': 'a copy of normal/01.png',
      'what': 'skipped',
  }


def test_copies_across_published_sides_stay_and_count(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
  """A published test subset is not changed; that it leaks is said."""
  for c, name in enumerate(('normal', 'sick')):
    for i in range(10):
      _save(tmp_path / 'data' / 'train' / name / f'{i}.png', 100 * c + i)
    for i in range(4):  # The first two show what two of train/ show.
      seed = 100 * c + (i if i < 2 else 50 + i)
      _save(tmp_path / 'data' / 'test' / name / f't{i}.jpg', seed)
  summary = _run(tmp_path / 'run', _config(tmp_path / 'data', split='official'))
  assert summary['n'] == {'train': 20, 'val': 0, 'test': 8}
  assert (summary['leak']['copies'], summary['leak']['copies_share']) == (
      4,
      0.5,
  )
  assert summary['test_without_copies']['n'] == 4
  assert 'copies: 4 test images (50.0%)' in capsys.readouterr().out
  dropped = _run(
      tmp_path / 'other',
      _config(tmp_path / 'data', split='official', copies='drop'),
  )
  assert dropped['n'] == {'train': 16, 'val': 0, 'test': 8}


@pytest.mark.parametrize(
    'relabelled, message',
    [
        (
            True,
            r'1 pictures have copies with different labels: normal/0\.png '
            r'\(normal\) and sick/again\.jpg \(sick\)',
        ),
        (False, 'all 12 images are copies of one'),
    ],
)
def test_what_cannot_be_learned_from_is_refused(
    tmp_path: pathlib.Path, relabelled: bool, message: str
) -> None:
  """Before anything is written."""
  for c, name in enumerate(('normal', 'sick')):
    for i in range(6):
      _save(
          tmp_path / 'data' / name / f'{i}.png',
          100 * c + i if relabelled else 0,
      )
  if relabelled:
    _save(tmp_path / 'data' / 'sick' / 'again.jpg', 0)
  with pytest.raises(errors.DataError, match=message):
    _run(tmp_path / 'run', _config(tmp_path / 'data'))
  assert not (tmp_path / 'run' / 'split.csv').exists()


def test_thumbnails_come_from_the_cache_with_the_pixels(
    data: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """A second run decodes nothing and finds the same copies."""
  config = _config(data, split='by_image')
  config.cache_dir = str(tmp_path / 'cache')
  before = _run(tmp_path / 'one', config)
  monkeypatch.setattr(
      pixel_cache.cache.Slot, 'draft', lambda *_: pytest.fail('decoded again')
  )
  after = _run(tmp_path / 'two', config)
  assert after['leak'] == before['leak'] and after['leak']['copies']


@pytest.mark.slow
def test_a_network_and_its_evaluation_say_the_same(
    data: Any, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
  """The score without copies, also at the threshold of two classes."""
  config = folder.get_config('head')
  config.data.update(dir=str(data), image_size=(32, 32), split='by_image')
  config.model.update(init_from='random', head_units=(16, 16))
  config.training.update(batch_size=16, epochs=1)
  config.evaluation.resamples = 20
  summary = _run(tmp_path / 'run', config)
  without = summary['test_without_copies']
  assert without['at_threshold']['threshold'] == summary['threshold']['value']
  (said,) = (
      line
      for line in capsys.readouterr().out.splitlines()
      if line.startswith('without the ')
  )
  evaluate.evaluate([tmp_path / 'run'], 'test', output=tmp_path / 'again')
  assert said in capsys.readouterr().out
  again = tmp_path / 'again' / 'summary_test_without_copies.json'
  assert json.loads(again.read_text()) == without
