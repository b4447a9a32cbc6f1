"""Protects the transfer from one run to another."""

from collections.abc import Callable
import dataclasses
import pathlib
import shutil
from typing import Any

import jax
import numpy as np
import pytest

from medxfer import errors
from medxfer import files
from medxfer import spec as specs
from medxfer.model import architectures
from medxfer.model.weights import metadata
from medxfer.runs import backbone
from medxfer.runs import inputs
from medxfer.runs import run
from medxfer.runs import tasks
from medxfer.training import checkpoints
from tests import tiny

_TINY = architectures.BY_NAME['tiny']


def _spec(
    phantoms: pathlib.Path, source: pathlib.Path, arm: str = 'head'
) -> specs.RunSpec:
  config = tiny.config(phantoms, arm)
  config.model.init_from = str(source)
  return specs.from_config(config)


def test_a_run_starts_from_the_backbone_of_another(
    phantoms: pathlib.Path, finished: pathlib.Path
) -> None:
  """All but the head: its classes are another task's."""
  spec = _spec(phantoms, finished)
  before = checkpoints.export(finished).params
  read = inputs.read(spec)
  task, state = tasks.build(spec, read)
  for name in _TINY.convolutions:
    jax.tree.map(
        np.testing.assert_array_equal, state.params[name], before[name]
    )
  assert not np.array_equal(
      state.params['fc1']['kernel'], before['fc1']['kernel']
  )
  assert 'arm head, seed 0' in task.origin
  assert set(read.backbone.params) == set(_TINY.convolutions)


def test_a_part_of_it_may_be_transferred_or_its_scale_alone(
    phantoms: pathlib.Path,
    finished: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """What the study of layers is made of; the log says so."""
  spec = _spec(phantoms, finished)
  before = checkpoints.export(finished).params
  model = dataclasses.replace(spec.model, transferred='block2')
  # Another seed: with its own, the rest would be drawn as it was there.
  spec = dataclasses.replace(spec, model=model, seed=1)
  _, state = tasks.build(spec, inputs.read(spec))
  same = [
      name
      for name in _TINY.convolutions
      if np.array_equal(state.params[name]['kernel'], before[name]['kernel'])
  ]
  assert same == ['block2_conv1', 'block2_conv2']
  assert 'transferred: block2_conv1, block2_conv2;' in capsys.readouterr().out
  spec = dataclasses.replace(
      spec, model=dataclasses.replace(model, inherit='statistics')
  )
  task, state = tasks.build(spec, inputs.read(spec))
  assert task.origin.endswith(', of it block2, mean and variance alone')
  kernel = np.asarray(state.params['block2_conv2']['kernel'])
  wanted = before['block2_conv2']['kernel']
  # Of 576 draws: three standard errors of each.
  assert kernel.std() == pytest.approx(wanted.std(), rel=0.09)
  assert abs(np.corrcoef(kernel.ravel(), wanted.ravel())[0, 1]) < 0.125
  assert 'only mean and variance' in capsys.readouterr().out


def test_where_it_came_from_is_recorded(
    phantoms: pathlib.Path, finished: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """`ham` in a table says nothing if nobody knows which run it was."""
  config = tiny.config(phantoms)
  config.model.init_from = str(finished)
  config.training.epochs = 1
  summary = run.run(specs.from_config(config), tmp_path / 'second')
  assert 'medxfer run on ham10000, arm head' in summary['weights_source']
  assert (
      summary['weights_digest']
      == files.read_json(tmp_path / 'second' / 'inputs.json')['weights_digest']
  )
  source = checkpoints.export(tmp_path / 'second').contract.source
  assert source.count('medxfer run on') == 2


def _unfinished(finished: pathlib.Path, folder: pathlib.Path) -> None:
  shutil.copytree(finished, folder)
  (folder / 'summary.json').unlink()


def _tree(finished: pathlib.Path, folder: pathlib.Path) -> None:
  shutil.copytree(finished, folder)
  config = files.read_json(folder / 'config.json')
  config['model']['name'] = 'decision_tree'
  files.write_json(folder / 'config.json', config)


def _without_checkpoints(finished: pathlib.Path, folder: pathlib.Path) -> None:
  shutil.copytree(finished, folder)
  shutil.rmtree(folder / 'checkpoints')


def _narrower(
    finished: pathlib.Path, folder: pathlib.Path
) -> Callable[..., Any]:
  """Saves a network whose last convolution has one filter less."""
  shutil.copytree(finished, folder)
  export = checkpoints.export

  def cut(path: pathlib.Path) -> metadata.Weights:
    weights = export(path)
    name = _TINY.convolutions[-1]
    weights.params[name]['kernel'] = weights.params[name]['kernel'][..., :-1]
    return weights

  return cut


@pytest.mark.parametrize(
    'damage, message',
    [
        (lambda finished, folder: None, 'no such folder, and neither imagenet'),
        (lambda finished, folder: folder.mkdir(), 'config.json'),
        (_unfinished, 'this run is not finished'),
        (_tree, 'a decision_tree has no layers to transfer'),
        (_without_checkpoints, 'no checkpoints in it'),
    ],
)
def test_what_cannot_be_transferred_is_refused(
    finished: pathlib.Path,
    tmp_path: pathlib.Path,
    damage: Callable[..., Any],
    message: str,
) -> None:
  """Before hours of training from the wrong start."""
  damage(finished, tmp_path / 'source')
  spec = specs.from_config(tiny.config(tmp_path))
  spec = dataclasses.replace(
      spec,
      model=dataclasses.replace(spec.model, init_from=str(tmp_path / 'source')),
  )
  with pytest.raises(errors.DataError, match=message):
    backbone.read(spec)


def test_a_backbone_that_does_not_fit_is_refused(
    finished: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
  """The difference is printed, tensor by tensor."""
  cut = _narrower(finished, tmp_path / 'source')
  monkeypatch.setattr(checkpoints, 'export', cut)
  spec = specs.from_config(tiny.config(tmp_path))
  spec = dataclasses.replace(
      spec,
      model=dataclasses.replace(spec.model, init_from=str(tmp_path / 'source')),
  )
  with pytest.raises(errors.DataError, match='block2_conv2/kernel: shape'):
    backbone.read(spec)
