"""Protects README and WORKSPACE: they are read before the code is."""

import json
import pathlib
import re

import pytest

from configs import common
from configs import ham

_ROOT = pathlib.Path(__file__).parents[1]
_README = (_ROOT / 'README.md').read_text()


def test_every_arm_and_modifier_is_explained():
  """A modifier that is not in the README does not exist for its readers."""
  for name in (*ham.ARMS, *common.MODIFIERS):
    assert f'| `{name}` |' in _README


def test_every_tool_is_mentioned():
  """Nor does a tool."""
  for path in (_ROOT / 'tools').glob('[a-z]*.py'):
    assert f'tools.{path.stem}' in _README


@pytest.mark.parametrize('text', [
    _README, (_ROOT / 'WORKSPACE.md').read_text()], ids=['README', 'MAP'])
def test_every_file_that_is_named_exists(text):
  """A map with streets that are not there is worse than none."""
  for name in re.findall(r'`((?:medxfer|configs|tools|tests)/[\w/.]+)`', text):
    if 'NAME' not in name:
      assert (_ROOT / name).exists(), name


@pytest.mark.parametrize(
    'path', sorted((_ROOT / 'results').rglob('summary.json')),
    ids=lambda path: path.parent.name)
def test_every_figure_follows_from_a_summary(path):
  """The tables of the README, number by number."""
  test = json.loads(path.read_text())['test']
  for metric in ('accuracy', 'f1_macro'):
    low, high = test['intervals'][metric]
    assert f'{test[metric]:.3f} ({low:.3f}-{high:.3f})' in _README
