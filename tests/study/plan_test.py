"""Protects the plan of a study: which runs, from where, by whom."""

import math
import pathlib
import shutil
from typing import Any

import ml_collections
import pytest

from medxfer import errors
from medxfer import spec as specs
from medxfer.data import ham10000
from medxfer.recipes import ham
from medxfer.recipes import layers
from medxfer.recipes import table_7_1
from medxfer.recipes import table_7_2
from medxfer.recipes import table_folder
from medxfer.study import plan
from medxfer.study import shards

_PATH = pathlib.Path('study')


def _plan(config: ml_collections.ConfigDict, **keys: Any) -> plan.Study:
  config.study.update(keys)
  return plan.from_config(config, _PATH)


def _names(runs: list | tuple) -> list[str]:
  return [run.name for run in runs]


def test_table_7_1_has_the_columns_of_the_thesis() -> None:
  """One column less, and the table is another one."""
  study = _plan(table_7_1.get_config('cpu'))
  assert [run.spec.arm for run in study.runs] == [
      'decision_tree',
      'random_forest',
      'random',
      'all',
      'last_block',
      'first_block',
      'first_last',
  ]
  assert [run.spec.model.trainable for run in study.runs[2:]] == [
      'all',
      'all',
      'block5',
      'block1',
      'block1,block5',
  ]
  assert [run.spec.model.init_from for run in study.runs[2:]] == [
      'random',
      *['imagenet'] * 4,
  ]


def test_an_arm_of_a_study_is_the_arm_of_its_configuration() -> None:
  """A run of the study and one by hand must be the same experiment."""
  for run in _plan(table_7_1.get_config('tuned,grouped')).runs:
    alone = ham.get_config(f'{run.spec.arm},tuned,grouped')
    assert run.spec == specs.from_config(alone)


def test_the_source_run_is_planned_once_a_seed_and_before_its_use() -> None:
  """Table 7.2 starts one arm from a network trained on HAM10000."""
  study = _plan(table_7_2.get_config('cpu'), seeds=(0, 1))
  names = _names(study.runs)
  for seed in (0, 1):
    ham = study.runs[names.index(f'ham-seed{seed}')]
    source = study.runs[names.index(f'source-seed{seed}')]
    assert names.index(source.name) < names.index(ham.name)
    assert ham.after == source.name
    assert ham.spec.model.init_from == f'study/runs/{source.name}'
    assert ham.spec.data.name == 'chest_xray'
    assert source.spec.data.name == 'ham10000'
    assert source.spec.seed == seed and source.spec.arm == 'all'
  assert len(names) == len(set(names)) == 12


def test_sizes_are_runs_of_their_own() -> None:
  """A learning curve of any arm: the same test images, fewer to learn from."""
  study = _plan(
      table_7_1.get_config('cpu'), arms='all', seeds=(0, 1), sizes='500,250,all'
  )
  assert {run.name: run.spec.data.train_images for run in study.runs} == {
      f'all-seed{seed}{part}': images
      for seed in (0, 1)
      for part, images in (('-n250', 250), ('-n500', 500), ('', 0))
  }
  with pytest.raises(errors.UsageError, match="study.sizes='250,few'"):
    _plan(table_7_1.get_config('cpu'), sizes='250,few')


def test_a_named_source_run_is_not_trained_again() -> None:
  """Table 7.1 may have it already."""
  study = _plan(table_7_2.get_config('cpu'), source_run='there')
  assert 'source-seed0' not in _names(study.runs)
  assert study.runs[-1].spec.model.init_from == 'there'
  assert study.runs[-1].after is None


def test_the_official_split_has_an_honest_source() -> None:
  """HAM10000 was published unsplit: its counterpart is by lesion."""
  study = _plan(table_7_2.get_config('official,cpu'))
  splits = {run.name: run.spec.data.split for run in study.runs}
  assert splits.pop('source-seed0') == 'grouped'
  assert set(splits.values()) == {'official'}


def test_a_folder_of_ones_own_has_the_same_columns() -> None:
  """The whole study, on images that only their owner has."""
  config = table_folder.get_config('tuned,cpu,grouped')
  config.data.update(dir='DIR', groups='FILE')
  study = plan.from_config(config, _PATH)
  assert [run.spec.arm for run in study.runs] == list(table_7_1.ARMS)
  assert {
      (run.spec.data.name, run.spec.data.dir, run.spec.data.split)
      for run in study.runs
  } == {('folder', 'DIR', 'grouped')}
  with pytest.raises(errors.UsageError, match='data.dir'):
    plan.from_config(table_folder.get_config('cpu'), _PATH)


@pytest.mark.parametrize('count', [1, 2, 3, 20])
def test_shards_do_every_run_once_and_keep_chains_together(count: int) -> None:
  """Else a run waits for ever for one that nobody does, or is done twice."""
  study = _plan(table_7_2.get_config('cpu'), seeds=(0, 1, 2))
  parts = [shards.runs_of(study, i, count) for i in range(1, count + 1)]
  dealt = [run for part in parts for run in part]
  assert sorted(_names(dealt)) == sorted(_names(study.runs))
  for shard in parts:
    for run in shard:
      assert run.after is None or run.after in _names(shard)


def test_a_key_for_all_arms_reaches_all_arms() -> None:
  """A setting that is silently ignored is worse than an error."""
  config = table_7_1.get_config('cpu')
  config.training.epochs = 9
  config.data.dir = 'elsewhere'
  for run in plan.from_config(config, _PATH).runs:
    assert (run.spec.training.epochs, run.spec.data.dir) == (9, 'elsewhere')


def test_what_tells_arms_apart_cannot_be_set_for_all() -> None:
  """`last_block` with block 1 trained would keep its name in the table."""
  config = table_7_1.get_config('cpu')
  for key in ('trainable', 'init_from', 'name'):
    assert key not in config.model


@pytest.mark.parametrize(
    'keys, message',
    [
        ({'arms': 'all,last'}, 'study.arms'),
        ({'arms': 'all,all'}, 'study.arms'),
        ({'arms': ''}, 'study.arms'),
        ({'seeds': (1, 1)}, 'study.seeds'),
        ({'seeds': ()}, 'study.seeds'),
        ({'seeds': (-1,)}, 'study.seeds'),
    ],
)
def test_a_wrong_table_is_refused(keys: dict, message: str) -> None:
  """Before hours of runs that nobody wanted."""
  with pytest.raises(errors.UsageError, match=message):
    _plan(table_7_1.get_config('cpu'), **keys)


@pytest.mark.parametrize('text', ['0/2', '3/2', '1', 'a/b', '1/0', '-1/2', ''])
def test_a_wrong_shard_is_refused(text: str) -> None:
  """Part 3 of 2 would do nothing and say that all is done."""
  with pytest.raises(errors.UsageError, match='--shard'):
    shards.parse(text)


def test_shards_have_equally_many_runs() -> None:
  """Two long chains dealt to one shard make the other wait half the time."""
  study = _plan(layers.get_config('ham,cpu'), rates=(1.0,), seeds=(0,))
  parts = [shards.runs_of(study, i, 2) for i in (1, 2)]
  assert [len(part) for part in parts] == [23, 23]


def test_the_configuration_of_a_run_is_no_study() -> None:
  """The two launchers are easily confused."""
  with pytest.raises(errors.UsageError, match='medxfer.main'):
    plan.from_config(ham.get_config('all'), _PATH)


def test_an_arm_may_start_from_another_of_its_seed() -> None:
  """The task's own layers, for a control of what another task's bring."""
  study = _plan(
      layers.get_config('ham,cpu'),
      seeds=(0, 1),
      rates=(1.0,),
      arms='base,frozen_own_4',
  )
  names = _names(study.runs)
  assert names == [
      'base-seed0',
      'frozen_own_4-seed0',
      'base-seed1',
      'frozen_own_4-seed1',
  ]
  own = study.runs[3]
  assert own.after == 'base-seed1'
  assert own.spec.model.init_from == 'study/runs/base-seed1'
  assert (
      len(shards.runs_of(study, 1, 2)) == len(shards.runs_of(study, 2, 2)) == 2
  )


@pytest.mark.parametrize('arms', ['frozen_own_4', 'frozen_own_4,base'])
def test_an_arm_without_the_one_that_it_starts_from_is_refused(
    arms: str,
) -> None:
  """Its run would be looked for, and not found, after hours."""
  with pytest.raises(errors.UsageError, match='name base before it'):
    _plan(layers.get_config('ham,cpu'), arms=arms)


def test_layers_of_one_study_differ_in_weights_alone() -> None:
  """Another recipe for some would show in the curves as transfer."""
  study = _plan(
      layers.get_config('xray,tuned,grouped,cpu'), rates=(1.0,), seeds=(0,)
  )
  rest = []
  for run in study.runs:
    spec = run.spec.to_json()
    if run.name != 'source-seed0':
      assert spec['data']['name'] == 'chest_xray'
      for key in ('init_from', 'transferred', 'inherit', 'trainable'):
        del spec['model'][key]
      del spec['arm']
      rest.append(spec)
  assert len(rest) == 45 and all(one == rest[0] for one in rest)


@pytest.mark.parametrize(
    'presets, runs',
    [
        ('ham', 46),
        ('xray,tuned,cpu', 46),
        ('ham,by_layer', 110),
        ('folder,tuned', 35),
    ],
)
def test_layers_are_cut_by_block_or_one_by_one(presets: str, runs: int) -> None:
  """A folder of one's own has no other data set to start from."""
  config = layers.get_config(presets)
  config.data.dir = 'there'
  study = _plan(config, rates=(1.0,), seeds=(0,))
  assert len(study.runs) == len(set(_names(study.runs))) == runs


@pytest.mark.parametrize(
    'argument, words',
    [
        (None, "unknown data set ''"),
        ('cpu', "unknown data set 'cpu'"),
        ('ham,by_layers', "unknown modifier 'by_layers'"),
        ('folder,phantom', "unknown modifier 'phantom'"),
    ],
)
def test_unknown_words_are_refused(argument: str | None, words: str) -> None:
  """By what they are, with those that are known."""
  with pytest.raises(errors.UsageError, match=words):
    layers.get_config(argument)


def test_an_arm_that_starts_nowhere_is_told_of(phantoms: pathlib.Path) -> None:
  """A folder of one's own has no other data set to start from."""
  config = layers.get_config('folder,tuned')
  config.data.dir = str(phantoms)
  with pytest.raises(errors.UsageError, match='frozen_other_2.*source_run='):
    _plan(config, arms='base,frozen_other_2')
  assert (
      _plan(config, arms='frozen_other_2', source_run='there')
      .runs[0]
      .spec.model.init_from
      == 'there'
  )


def test_every_fold_of_every_arm_is_a_run() -> None:
  """Of one split, so that each image tests once; shards deal them."""
  study = _plan(
      table_7_1.get_config('cpu,grouped'), arms='all,last_block', folds=3
  )
  assert _names(study.runs) == [
      f'{arm}-seed0-fold{k}' for arm in ('all', 'last_block') for k in range(3)
  ]
  assert {(run.spec.data.folds, run.spec.data.split) for run in study.runs} == {
      (3, 'grouped')
  }
  assert [run.spec.data.fold for run in study.runs] == [0, 1, 2, 0, 1, 2]
  dealt = [_names(shards.runs_of(study, i, 2)) for i in (1, 2)]
  assert sorted(sum(dealt, [])) == sorted(_names(study.runs))


def test_every_source_is_left_out_once(
    tmp_path: pathlib.Path, phantoms: pathlib.Path
) -> None:
  """All that the table names, or those that are asked for."""
  folder = shutil.copytree(phantoms, tmp_path / 'ham10000')
  table = folder / ham10000.METADATA
  first, *rows = table.read_text().splitlines()
  clinics = ('vienna dias', 'rosendahl')
  lines = [f'{row},{clinics[i % 2]}' for i, row in enumerate(rows)]
  table.write_text('\n'.join([f'{first},dataset', *lines]) + '\n')
  config = table_7_1.get_config('cpu')
  config.data.dir = str(folder)
  study = _plan(config, arms='all', sources='all')
  assert _names(study.runs) == ['all-seed0-rosendahl', 'all-seed0-vienna_dias']
  assert [run.spec.data.test_source for run in study.runs] == [
      'rosendahl',
      'vienna dias',
  ]
  with pytest.raises(
      errors.UsageError, match='the sources rosendahl, vienna d'
  ):
    _plan(config, sources='graz')


@pytest.mark.parametrize(
    'keys, message',
    [
        ({'folds': 2}, 'study.folds=2.*3 or more'),
        ({'folds': 3, 'sources': 'all'}, 'not allowed together'),
    ],
)
def test_folds_that_cannot_be_are_refused(keys: dict, message: str) -> None:
  """Before anything runs."""
  with pytest.raises(errors.UsageError, match=message):
    _plan(table_7_1.get_config('cpu,grouped'), **keys)


def test_a_published_test_set_has_no_folds() -> None:
  """The key and its way out are named."""
  with pytest.raises(errors.UsageError, match='data.folds=3'):
    _plan(table_7_2.get_config('cpu,official'), folds=3)


def _layers(on_val: plan.OnVal) -> plan.Study:
  """A layer study of two arms, two seeds and three rates."""
  config = layers.get_config('ham,cpu')
  config.study.update(arms='base,frozen_own_4', seeds=(0, 1))
  return plan.from_config(config, _PATH, on_val)


def test_the_first_seed_tries_all_rates_and_others_the_best() -> None:
  """One rate for all arms would favour the arm that it suits."""
  known: dict[str, float] = {}
  first = _layers(known.get)
  rates = ('0.3', '1', '3')
  assert _names(first.runs) == [f'base-rate{rate}-seed0' for rate in rates]
  assert not first.compared
  assert first.waiting == (
      'frozen_own_4-seed0',
      'base-seed1',
      'frozen_own_4-seed1',
  )
  one, *_ = {run.spec.optimizer.learning_rate for run in first.runs[1:2]}
  assert [run.spec.optimizer.learning_rate for run in first.runs] == (
      pytest.approx([0.3 * one, one, 3 * one])
  )

  known |= {'base-rate0.3-seed0': 0.2, 'base-rate1-seed0': 0.1}
  assert _names(_layers(known.get).runs) == _names(first.runs)

  # A rate that fails is not waited for.
  known['base-rate3-seed0'] = -math.inf
  second = _layers(known.get)
  assert _names(second.runs) == [
      *_names(first.runs),
      *[f'frozen_own_4-rate{rate}-seed0' for rate in rates],
      'base-rate0.3-seed1',
  ]
  assert {run.after for run in second.runs[3:6]} == {'base-rate0.3-seed0'}
  assert _names(second.compared) == ['base-rate0.3-seed0', 'base-rate0.3-seed1']
  assert second.waiting == ('frozen_own_4-seed1',)

  # Of equals the rate of the recipe.
  known |= {f'frozen_own_4-rate{rate}-seed0': 0.3 for rate in rates}
  last = _layers(known.get)
  assert not last.waiting
  assert last.runs[-1].name == 'frozen_own_4-rate1-seed1'
  assert last.runs[-1].after == 'base-rate0.3-seed1'
  assert [plan.rate_of(run.name) for run in last.compared] == [0.3, 1, 0.3, 1]


def test_an_arm_whose_every_rate_failed_has_no_other_seed() -> None:
  """There is nothing to choose, and the study ends."""
  study = _layers(lambda name: -math.inf)
  assert len(study.runs) == 3 and not study.compared
  assert len(study.waiting) == 3


def test_the_rates_and_seeds_of_an_arm_stay_in_one_shard() -> None:
  """Another process would not know when the best rate is known."""
  study = plan.from_config(layers.get_config('ham,cpu'), _PATH, lambda _: 0.0)
  dealt = [
      {run.spec.arm for run in shards.runs_of(study, i, 2)} for i in (1, 2)
  ]
  assert not dealt[0] & dealt[1]
  assert len(study.runs) == 45 * 5 + 3


@pytest.mark.parametrize('rate', [0.3, 1.0, 1e-05, 3e10])
def test_a_name_tells_its_rate(rate: float) -> None:
  """The report compares the rates of one arm by their folders."""
  assert plan.rate_of(plan.Planned.named('last_3', 2, '-n9', rate)) == rate
  assert plan.rate_of('last_3-seed0') == 1


def test_a_rate_that_diverges_is_missed_only_without_another() -> None:
  """The study ends well if every arm has a rate at which it learns."""
  reached = {'base-rate0.3-seed0': 0.2, 'base-rate1-seed0': 0.1}
  failed = {'base-rate3-seed0', *(f'frozen_own_4-rate{r}-seed0' for r in '13')}
  study = _layers(
      lambda name: -math.inf if name in failed else reached.get(name)
  )
  assert study.missing(failed) == [
      'frozen_own_4-rate1-seed0',
      'frozen_own_4-rate3-seed0',
  ]
  reached['frozen_own_4-rate0.3-seed0'] = 0.4
  study = _layers(
      lambda name: -math.inf if name in failed else reached.get(name)
  )
  assert not study.missing(failed)
  assert study.missing({'base-rate0.3-seed1'}) == ['base-rate0.3-seed1']
