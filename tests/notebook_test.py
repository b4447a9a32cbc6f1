"""Protects the notebook: its cells run as they stand, in their order."""

import json
import pathlib

import pytest

_NOTEBOOK = pathlib.Path(__file__).parent.parent / 'tools' / 'first_steps.ipynb'


def _cells() -> list:
  return json.loads(_NOTEBOOK.read_text('utf-8'))['cells']


@pytest.mark.slow
def test_every_cell_runs(capsys: pytest.CaptureFixture[str]) -> None:
  """With the network for tests, from random weights."""
  names = {}
  for cell in _cells():
    if cell['cell_type'] == 'code':
      code = (
          ''.join(cell['source'])
          .replace("'tuned,cpu,phantom'", "'tuned,cpu,phantom,tiny'")
          .replace("'imagenet'", "'random'")
      )
      exec(compile(code, _NOTEBOOK.name, 'exec'), names)
  capsys.readouterr()
  assert set(names['difference']) >= {'f1_macro', 'accuracy'}
  assert names['heat'].shape[0] == 3


def test_the_notebook_was_executed_and_names_no_machine() -> None:
  """A reader sees results, and nobody's folders."""
  counts = [
      cell['execution_count']
      for cell in _cells()
      if cell['cell_type'] == 'code'
  ]
  assert counts == list(range(1, len(counts) + 1))
  for word in ('/root', '/home/', '/tmp', '/work/'):
    assert word not in _NOTEBOOK.read_text('utf-8')
