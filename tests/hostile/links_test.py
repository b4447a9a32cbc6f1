"""Protects what lies beside the data: a link shows nothing but images.

Links are followed, since people link rather than copy. A link in a stranger's
folder may lead to any file of its reader: what is not an image is named, and
not a byte of it shown.
"""

from collections.abc import Callable
import os
import pathlib
import shutil
from typing import Any

import ml_collections
import numpy as np
from PIL import Image
import pytest

from medxfer import errors
from medxfer import spec as specs
from medxfer.recipes import folder as folder_config
from medxfer.recipes import xray
from medxfer.runs import inputs
from tests import tiny

_SECRET = 'root:x:0:0'


def _xray(data: pathlib.Path) -> ml_collections.ConfigDict:
  config = xray.get_config('random,phantom')
  config.data.update(dir=str(data), phantom=0, image_size=(32, 32))
  return config


@pytest.mark.parametrize(
    'data, config', [('phantoms', tiny.config), ('chest_phantoms', _xray)]
)
@pytest.mark.parametrize('action', ['fail', 'skip'])
def test_a_link_to_what_is_no_image_is_named(
    request: pytest.FixtureRequest,
    tmp_path: pathlib.Path,
    data: str,
    config: Callable[..., Any],
    action: str,
) -> None:
  """A file's text stands in no message."""
  folder = shutil.copytree(request.getfixturevalue(data), tmp_path / 'data')
  (tmp_path / 'passwd').write_text(_SECRET)
  image = sorted(
      path for path in folder.rglob('*') if path.suffix in ('.jpg', '.jpeg')
  )[0]
  image.unlink()
  image.symlink_to(tmp_path / 'passwd')
  config = config(folder)
  config.data.on_bad_image = action
  if action == 'fail':
    with pytest.raises(errors.DataError) as raised:
      inputs.read(specs.from_config(config))
    said = str(raised.value)
  else:
    skipped = inputs.read(specs.from_config(config)).examples.skipped
    assert list(skipped)
    said = ' '.join(skipped.values())
  assert image.stem in said and _SECRET not in said


def _folder(path: pathlib.Path) -> specs.RunSpec:
  config = folder_config.get_config('random')
  config.data.update(dir=str(path), image_size=(32, 32))
  return specs.from_config(config)


def _images(folder: pathlib.Path, count: int = 12) -> pathlib.Path:
  for name in 'ab':
    (folder / name).mkdir(parents=True)
    for i in range(count):
      pixels = np.random.default_rng([ord(name), i]).integers(
          0, 255, (8, 8, 3), np.uint8
      )
      Image.fromarray(pixels).save(folder / name / f'{i}.png')
  return folder


def test_linked_images_are_read_and_guarded(tmp_path: pathlib.Path) -> None:
  """What a link leads to may change; a run must notice at its restart."""
  source, data = _images(tmp_path / 'source'), tmp_path / 'data'
  (data / 'a').mkdir(parents=True)
  for path in (source / 'a').iterdir():
    (data / 'a' / path.name).symlink_to(path)
  (data / 'b').symlink_to(source / 'b')
  before = inputs.read(_folder(data))
  plain = inputs.read(_folder(source))
  assert before.digests() == plain.digests()
  image = Image.open(source / 'b' / '3.png').rotate(90)
  image.save(source / 'b' / '3.png')
  after = inputs.read(_folder(data)).digests()
  assert after['images_digest'] != before.digests()['images_digest']


def test_links_in_a_circle_end(tmp_path: pathlib.Path) -> None:
  """Each image is read once, and the link is named."""
  data = _images(tmp_path / 'data')
  (data / 'a' / 'again').symlink_to(data)
  (data / 'b' / 'top').symlink_to('/')
  examples = inputs.read(_folder(data)).examples
  assert len(examples) == 24
  assert examples.left_out == {
      'a/again': 'link that leads back',
      'b/top': 'link that leads back',
  }


def test_a_link_to_a_folder_without_images_gives_none(
    tmp_path: pathlib.Path,
) -> None:
  """Names of what lies there are listed; nothing is read into the table."""
  data = _images(tmp_path / 'data')
  (tmp_path / 'home').mkdir()
  (tmp_path / 'home' / 'passwd').write_text(_SECRET)
  os.mkfifo(tmp_path / 'home' / 'pipe')
  (data / 'a' / 'home').symlink_to(tmp_path / 'home')
  examples = inputs.read(_folder(data)).examples
  assert len(examples) == 24
  assert set(examples.left_out) == {'a/home/passwd', 'a/home/pipe'}
