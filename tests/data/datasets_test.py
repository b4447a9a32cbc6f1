"""Protects the way from a specification to a table of images."""

import dataclasses
import pathlib
from typing import Any

from PIL import Image
import pytest

from medxfer import errors
from medxfer import spec as specs
from medxfer.data import datasets
from medxfer.data import phantom
from medxfer.recipes import common


def _spec(name: str, **changes: Any) -> specs.DataSpec:
  config = common.default()
  config.data.update(name=name, **changes)
  return specs.from_config(config).data


@pytest.mark.parametrize('name', phantom.KINDS)
def test_phantoms_are_had_by_name(
    name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """One key turns a configuration's data set into its look-alike."""
  monkeypatch.setenv('MEDXFER_CACHE', str(tmp_path))
  smallest = phantom.KINDS[name].smallest()
  examples = datasets.read(_spec(name, phantom=smallest))
  assert (examples.name, len(examples)) == (name, smallest)
  assert examples.paths[0].is_relative_to(tmp_path)
  with pytest.raises(errors.UsageError, match=f'at least {smallest}'):
    datasets.read(_spec(name, phantom=smallest - 1))


@pytest.mark.parametrize(
    'name, way_out',
    [
        ('ham10000', 'medxfer download --dataset=ham10000.*phantom'),
        ('chest_xray', 'doi:10.17632/rscbjbr9sj.*train/ and test/.*phantom'),
    ],
)
def test_missing_data_names_its_own_way_out(
    name: str, way_out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
  """A newcomer is never sent for the wrong data set."""
  monkeypatch.delenv(datasets.ENVIRONMENT, raising=False)
  with pytest.raises(
      errors.DataError, match=f'folder of {name} is not known.*{way_out}'
  ):
    datasets.folder(_spec(name))
  monkeypatch.setenv(datasets.ENVIRONMENT, '/data')
  assert str(datasets.folder(_spec(name))) == f'/data/{name}'


def test_groups_and_skipping_reach_a_folder(tmp_path: pathlib.Path) -> None:
  """A key that was read and not passed on would leak patients."""
  for name in ('a/1.png', 'a/2.png', 'b/3.png'):
    (tmp_path / 'DIR' / name).parent.mkdir(parents=True, exist_ok=True)
    Image.new('L', (8, 8)).save(tmp_path / 'DIR' / name)
  (tmp_path / 'DIR' / 'a' / '2.png').write_bytes(b'')
  (tmp_path / 'g.csv').write_text('image,group\n1.png,p\n3.png,q\n')
  spec = _spec(
      'folder',
      dir=str(tmp_path / 'DIR'),
      on_bad_image='skip',
      groups=str(tmp_path / 'g.csv'),
  )
  assert datasets.read(spec).groups == ('p', 'q')
  assert datasets.read(dataclasses.replace(spec, groups='')).groups == (
      'a/1.png',
      'b/3.png',
  )
