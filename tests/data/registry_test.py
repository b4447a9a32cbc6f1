"""Protects the records of the data sets: what they name is there."""

import importlib
import pathlib
import subprocess
import sys

import pytest

from medxfer import spec as specs
from medxfer.data import datasets
from medxfer.data import phantom
from medxfer.data import registry
from medxfer.recipes import common
from medxfer.report.read import thesis


@pytest.mark.parametrize('name', registry.NAMES)
def test_what_a_record_names_by_text_is_there(name: str) -> None:
  """It is looked up when it is needed, perhaps hours into a study."""
  known = registry.get(name)
  assert known.name == name
  assert not known.phantom or known.phantom in phantom.KINDS
  assert not known.other or registry.get(known.other).recipe
  assert not known.thesis_table or known.thesis_table in thesis.TABLES
  recipe = importlib.import_module(f'medxfer.recipes.{known.recipe}')
  assert recipe.get_config('random').data.name == name
  if known.download:
    download = importlib.import_module(known.download)
    assert callable(download.plan) and callable(download.fetch)


@pytest.mark.parametrize('name', registry.having('phantom'))
def test_columns_of_a_record_are_those_of_its_table(
    name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """A subgroup that no table has would never be reported."""
  monkeypatch.setenv('MEDXFER_CACHE', str(tmp_path))
  known = registry.get(name)
  config = common.default()
  config.data.update(name=name, phantom=phantom.KINDS[known.phantom].smallest())
  examples = datasets.read(specs.from_config(config).data)
  assert set(known.subgroups) <= set(examples.columns)
  assert known.published_split == ('published' in examples.columns)


def test_a_specification_is_checked_without_heavy_libraries() -> None:
  """A launcher refuses a wrong key before it loads TensorFlow or JAX."""
  code = (
      'import sys\n'
      'from medxfer import spec\n'
      'from medxfer.recipes import common\n'
      'spec.from_config(common.default())\n'
      "print(sorted({'jax', 'tensorflow', 'PIL', 'sklearn'} & {*sys.modules}))"
  )
  said = subprocess.run(
      [sys.executable, '-c', code], capture_output=True, text=True, check=True
  )
  assert said.stdout.strip() == '[]'
