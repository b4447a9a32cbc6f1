"""Protects what lies beside the data: a link shows nothing of it."""

import shutil

import pytest

from configs import xray
from medxfer import errors
from medxfer import spec as specs
from medxfer.runs import inputs
from tests import tiny

_SECRET = 'root:x:0:0'


def _xray(data):
  config = xray.get_config('random,phantom')
  config.data.update(dir=str(data), phantom=0, image_size=(32, 32))
  return config


@pytest.mark.parametrize('data, config', [
    ('phantoms', tiny.config), ('chest_phantoms', _xray)])
@pytest.mark.parametrize('action', ['fail', 'skip'])
def test_a_link_out_of_the_data_is_no_image(
    request, tmp_path, data, config, action):
  """A folder from a stranger may link to any file of its reader."""
  folder = shutil.copytree(
      request.getfixturevalue(data), tmp_path / 'data')
  (tmp_path / 'passwd').write_text(_SECRET)
  image = sorted(path for path in folder.rglob('*')
                 if path.suffix in ('.jpg', '.jpeg'))[0]
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
