"""Protects what is said of single layers: from finished runs to layers.json."""

import dataclasses
import pathlib
from typing import Any

import pytest

from medxfer import errors
from medxfer import files
from medxfer import spec as specs
from medxfer.data import examples
from medxfer.model import architectures
from medxfer.recipes import layers as layers_config
from medxfer.report.read import collect
from medxfer.study import execute
from medxfer.study import layer_measures
from medxfer.study import layer_networks
from medxfer.study import plan
from tests import tiny

pytestmark = pytest.mark.slow

_LAYERS = architectures.BY_NAME['tiny'].convolutions
_TUNED = 'tuned_imagenet_3'


def _spec(
    phantoms: pathlib.Path, arm: str, trained: Any, **model: Any
) -> specs.RunSpec:
  config = tiny.config(phantoms, network='vgg16')
  config.arm = arm
  config.training.epochs = 1
  config.model.update(name='tiny', trainable=trained, **model)
  return specs.from_config(config)


@pytest.fixture(scope='module')
def study(
    phantoms: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> Any:
  """A study and its folder; of `base`, the head alone has trained.

  No run of it starts from ImageNet: what is measured asks for names alone.
  """
  path = tmp_path_factory.mktemp('studies') / 'layers'
  study = plan.Study(
      'layers_ham',
      'Layers',
      (
          plan.Planned('base-seed0', _spec(phantoms, 'base', 'none')),
          plan.Planned(
              'frozen_imagenet_1-seed0',
              _spec(phantoms, 'frozen_imagenet_1', 'none'),
          ),
          plan.Planned(
              f'{_TUNED}-seed0',
              _spec(
                  phantoms,
                  _TUNED,
                  'all',
                  init_from=str(path / plan.RUNS / 'base-seed0'),
              ),
              'base-seed0',
          ),
      ),
  )
  assert execute.execute(study, path, study.runs) == {}
  layer_measures.measure(study, path)
  return study, path


@pytest.fixture(scope='module')
def found(study: pathlib.Path) -> Any:
  """What was measured of its only seed."""
  return files.read_json(study[1] / 'layers.json')['seeds']['0']


def test_all_layers_of_all_networks_are_measured(
    study: pathlib.Path, found: Any
) -> None:
  """Before and after training, from random weights and from the source."""
  names = ['random', 'own', 'imagenet', 'tuned_imagenet']
  assert list(found['probes']) == names
  for name in names:
    assert list(found['probes'][name]) == list(_LAYERS)
    for key in ('log_me', 'h_score'):
      assert len(found['diagnostics'][name][key]) == len(_LAYERS)
  assert len(found['similarity']) == 6
  assert list(found['index']) == ['imagenet']
  agreement = found['index']['imagenet']['agreement']
  assert agreement['frozen']['cuts'] <= 1 and agreement['freezing'] == {
      'spearman': None,
      'cuts': 0,
  }


def test_the_report_reads_what_was_measured(
    study: pathlib.Path, found: Any
) -> None:
  """One writes layers.json and the other reads it: the keys must agree."""
  [read] = collect.collect(study[1]).studies
  assert {arm.name for arm in read.columns} == {
      'base',
      'frozen_imagenet_1',
      _TUNED,
  }
  measured = read.measured
  assert set(measured.moved) == {'own', 'tuned_imagenet'}
  for layer in _LAYERS:
    assert measured.moved['tuned_imagenet'][layer].value == (
        found['moved']['tuned_imagenet'][layer]
    )
    assert measured.probes['own'][layer].value == (
        found['probes']['own'][layer]['f1_macro']
    )
    assert measured.put_back['tuned_imagenet'][layer].value == (
        found['put_back']['tuned_imagenet'][layer]['difference']
    )
  assert set(measured.similarity) == {
      (pair['a'], pair['b']) for pair in found['similarity']
  }


def test_layers_that_did_not_train_have_not_moved(found: Any) -> None:
  """The scale's end: the same layer is the same, and can be put back."""
  assert set(found['moved']['own'].values()) == {0.0}
  assert {one['difference'] for one in found['put_back']['own'].values()} == {
      0.0
  }
  assert _cka(found, 'random', 'own') == pytest.approx([1.0] * len(_LAYERS))


def test_layers_that_trained_have_moved(found: Any) -> None:
  """Every one of them, a little."""
  for value in found['moved']['tuned_imagenet'].values():
    assert 0 < value < 1
  alike = _cka(found, 'imagenet', 'tuned_imagenet')
  assert all(0 < value < 1 for value in alike) and alike[0] > alike[-1]


def _cka(found: Any, a: Any, b: int) -> list[float]:
  return next(
      list(pair['cka'].values())
      for pair in found['similarity']
      if (pair['a'], pair['b']) == (a, b)
  )


def test_it_is_not_done_twice(
    study: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
  """The same command, once more."""
  monkeypatch.setattr(layer_networks, 'load', None)
  layer_measures.measure(*study)
  assert 'layers.json is finished' in capsys.readouterr().out


def test_what_a_killed_process_has_done_is_kept(
    study: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """A pass over the test images for each layer of each network."""
  plan_, path = study
  before = (path / 'layers.json').read_bytes()
  (path / 'layers.json').unlink()
  monkeypatch.setattr(layer_networks, 'put_back', lambda trained: 1 / 0)
  layer_measures.measure(plan_, path)
  assert (path / 'layers.json').read_bytes() == before


def test_other_runs_are_measured_anew(
    study: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """A run that was trained again has other layers."""
  plan_, path = study
  summary = path / plan.RUNS / f'{_TUNED}-seed0' / 'summary.json'
  before = summary.read_text()
  summary.write_text(before.replace('"finished"', '"finished" '))
  monkeypatch.setattr(layer_networks, 'load', lambda path: 1 / 0)
  try:
    with pytest.raises(ZeroDivisionError):
      layer_measures.measure(plan_, path)
  finally:
    summary.write_text(before)


def test_other_and_unfinished_studies_are_left_alone(
    study: pathlib.Path,
) -> None:
  """Tables have no layers to look into, and half a study has half an answer."""
  plan_, path = study
  run = plan_.runs[0]
  more = dataclasses.replace(
      run, name='base-seed1', spec=dataclasses.replace(run.spec, seed=1)
  )
  before = (path / 'layers.json').stat().st_mtime_ns
  for other in (
      dataclasses.replace(plan_, name='table_7_1'),
      dataclasses.replace(plan_, runs=plan_.runs[:1]),
      dataclasses.replace(plan_, runs=(*plan_.runs, more)),
  ):
    layer_measures.measure(other, path)
  assert (path / 'layers.json').stat().st_mtime_ns == before


def test_a_class_with_one_image_is_refused_before_any_training(
    phantoms: pathlib.Path, study: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """Hours later, no probe could be trained on it."""
  layer_measures.check(study[0])
  monkeypatch.setattr(layer_measures.splits, 'of_run', _one_of_a_class)
  with pytest.raises(errors.DataError, match='class akiec: 1 images'):
    layer_measures.check(study[0])
  layer_measures.check(dataclasses.replace(study[0], name='table_7_1'))


def _one_of_a_class(examples: examples.Examples, data: Any, seed: Any) -> Any:
  split = layer_measures.splits.assign(examples, kind=data.split, seed=seed)
  first = split.train[examples.labels[split.train] == 0]
  return dataclasses.replace(
      split,
      train=split.train[
          ~(examples.labels[split.train] == 0) | (split.train == first[0])
      ],
  )


def test_every_study_of_layers_is_measured(phantoms: pathlib.Path) -> None:
  """The configurations have the arms that are looked into."""
  for data in ('ham', 'xray', 'folder'):
    arms = layers_config.get_config(data).study.arms.split(',')
    vgg16 = architectures.BY_NAME['vgg16']
    assert set(layer_networks.needed(vgg16)) <= set(arms)
    looked = layer_networks.looked_into(arms, vgg16)
    assert looked[:2] == ['base', 'tuned_imagenet_13']
    assert len(looked) == (2 if data == 'folder' else 3)
