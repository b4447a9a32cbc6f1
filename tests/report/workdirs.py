"""Finished runs without a training: the files of a workdir, made up."""

from collections.abc import Callable
from collections.abc import Sequence
import dataclasses
import json
import pathlib
from typing import Any
import zlib

import numpy as np

from medxfer import baselines
from medxfer import files
from medxfer import spec as specs
from medxfer.evaluation import operating_point
from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import summary as summaries
from medxfer.model import architectures
from medxfer.recipes import common

HAM = ('akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'vasc')
XRAY = ('NORMAL', 'PNEUMONIA')
# Arm -> what it changes, as the configurations do.
_ARMS = {
    **common.SCOPES,
    **common.BASELINES,
    'imagenet': common.SCOPES['all'],
    'random': lambda config: config.model.update(init_from='random'),
    'ham': lambda config: config.model.update(init_from='runs/ham_all'),
}


def spec(
    arm: str,
    *,
    seed: int = 0,
    dataset: str = 'ham10000',
    modifiers: Sequence[str] = ('cpu',),
    overrides: dict | None = None,
) -> specs.RunSpec:
  """Returns the specification of an arm, smaller than life."""
  config = common.default()
  # In their order, as a command applies them.
  for name in (name for name in common.MODIFIERS if name in modifiers):
    common.MODIFIERS[name](config)
  _ARMS.get(arm, _ARMS['all'])(config)
  config.update(arm=arm, modifiers=tuple(modifiers), seed=seed)
  config.data.name = dataset
  config.evaluation.resamples = 50
  if dataset == 'folder':
    config.data.update(dir='/images/my folder', groups='/images/g.csv')
  config.update_from_flattened_dict(overrides or {})
  return specs.from_config(config)


def write(
    path: pathlib.Path,
    arm: str,
    *,
    classes: Sequence[str] = HAM,
    images: int = 210,
    skill: float = 1.5,
    val_skill: float | None = None,
    change: Callable[[dict], None] = lambda summary: None,
    **what: Any,
) -> pathlib.Path:
  """Writes the workdir of a finished run.

  Args:
    path: the folder to make.
    arm: see `_ARMS`.
    classes: names of the classes.
    images: on the test subset; three to a group.
    skill: how far the right class' logit stands out.
    val_skill: the same on validation images; None: they are scored as the
      test images are.
    change: of the summary, before it is written.
    **what: as for `spec`.
  """
  run = spec(arm, **what)
  path.mkdir(parents=True)
  baseline = run.model.name in baselines.NAMES
  test = _scored(run, classes, images, skill)
  summary = _summary(run, test, baseline)
  predictions_lib.write(path / 'predictions_test.csv', test)
  if not baseline:
    val = (
        test if val_skill is None else _scored(run, classes, images, val_skill)
    )
    predictions_lib.write(
        path / 'predictions_val.csv',
        dataclasses.replace(
            val, image_ids=tuple(f'val_0_{i}' for i in val.image_ids)
        ),
    )
    (path / 'metrics.jsonl').write_text(
        ''.join(json.dumps(_epoch(i, skill)) + '\n' for i in range(6))
    )
    if len(classes) == 2:
      chosen = operating_point.threshold(test, classes[1])
      summary['threshold'] = {'positive': classes[1], 'value': chosen}
      summary['test']['at_threshold'] = operating_point.at(
          test, chosen, classes[1]
      )
  files.write_table(
      path / 'split.csv',
      ('image_id', 'label', 'group', 'split'),
      _split_rows(test),
  )
  files.write_json(path / 'config.json', run.to_json())
  files.write_json(path / 'environment.json', {'devices': ['cpu']})
  change(summary)
  files.write_json(path / 'summary.json', summary)
  return path


def write_layer_study(
    path: pathlib.Path,
    skills: dict[str, float],
    *,
    seeds: Sequence[int] = (0,),
    modifiers: Sequence[str] = ('cpu',),
) -> pathlib.Path:
  """Writes a study of layers whose runs are finished, but for `layers.json`.

  Args:
    path: the folder to make.
    skills: arm -> how far the right class' logit stands out.
    seeds: of the runs.
    modifiers: of all runs.
  """
  for arm, skill in skills.items():
    for seed in seeds:
      write(
          path / 'runs' / f'{arm}-seed{seed}',
          arm,
          skill=skill,
          seed=seed,
          modifiers=modifiers,
      )
  files.write_json(
      path / 'study.json',
      {
          'name': 'layers_ham',
          'title': 'Layers',
          'runs': {f'{arm}-seed{seed}': {} for arm in skills for seed in seeds},
      },
  )
  return path


def write_layers(
    path: pathlib.Path, seeds: Sequence[int] = (0,), network: str = 'vgg16'
) -> None:
  """Writes what was measured of a study's layers: 0.01 for the first ..."""
  names = ('random', 'own', 'imagenet', 'tuned_imagenet')
  bare = {
      name: (i + 1) / 100
      for i, name in enumerate(architectures.BY_NAME[network].convolutions)
  }

  def spread(key: str) -> dict:
    return {
        name: {key: value, 'interval': [value - 0.01, value + 0.01]}
        for name, value in bare.items()
    }

  files.write_json(
      path / 'layers.json',
      {
          'key': {},
          'seeds': {
              str(seed): {
                  'probes': {name: spread('f1_macro') for name in names},
                  'diagnostics': {
                      name: {
                          'log_me': {**bare, 'block1_conv1': None},
                          'h_score': bare,
                      }
                      for name in names
                  },
                  'index': {
                      'imagenet': {
                          'layers': {
                              **spread('index'),
                              'block1_conv1': {'index': None, 'interval': None},
                          },
                          'agreement': {
                              key: {'spearman': 0.5, 'cuts': 5}
                              for key in ('frozen', 'freezing')
                          },
                      }
                  },
                  'similarity': [
                      {'a': a, 'b': b, 'cka': bare}
                      for a, b in (
                          ('random', 'own'),
                          ('imagenet', 'tuned_imagenet'),
                      )
                  ],
                  'moved': {name: bare for name in ('own', 'tuned_imagenet')},
                  'put_back': {
                      name: spread('difference')
                      for name in ('own', 'tuned_imagenet')
                  },
              }
              for seed in seeds
          },
      },
  )


def _scored(
    run: specs.RunSpec, classes: Sequence[str], images: int, skill: float
) -> predictions_lib.Predictions:
  """Scores the same images for the same data, split and seed."""
  common_part = np.random.default_rng(
      [run.seed, len(classes), zlib.crc32(run.data.split.encode())]
  )
  own = np.random.default_rng([run.seed, zlib.crc32(repr(run).encode())])
  k = len(classes)
  # Every class has some; the last but one (nv, NORMAL) has the most.
  labels = np.r_[
      np.tile(np.arange(k), images // (3 * k)),
      np.full(images, k - 2 if k > 1 else 0),
  ][:images]
  logits = common_part.normal(size=(images, k)) + own.normal(size=(images, k))
  logits += skill * np.eye(k)[labels]
  probabilities = np.exp(logits)
  probabilities /= probabilities.sum(axis=1, keepdims=True)
  # Another fold has other images.
  first = images * run.data.fold
  return predictions_lib.Predictions(
      tuple(f'{run.data.split}_{first + i:04}' for i in range(images)),
      labels,
      probabilities,
      tuple(classes),
      tuple(f'group_{(first + i) // 3}' for i in range(images)),
  )


def _summary(
    run: specs.RunSpec, test: predictions_lib.Predictions, baseline: bool
) -> dict:
  n = len(test.image_ids)
  leaked = 0.3 if run.data.split == 'by_image' else 0.0
  return {
      'status': 'finished',
      'arm': run.arm,
      'val': None,
      'test': summaries.split_summary(test, resamples=50, seed=run.seed),
      'best_epoch': None if baseline else 5,
      'epochs_run': None if baseline else 6,
      'train_seconds': 83.0,
      'n': {'train': 3 * n, 'val': 0 if baseline else n, 'test': n},
      'skipped': 0,
      'leak': {
          'images': int(leaked * n),
          'groups': 7,
          'share': leaked,
          'duplicates': 0,
      },
  }


def _split_rows(test: predictions_lib.Predictions) -> list[tuple[str, ...]]:
  names = test.class_names
  rows = [
      (image, names[label], group, 'test')
      for image, label, group in zip(test.image_ids, test.labels, test.groups)
  ]
  return rows + [
      (f'{subset}_{i}_{image}', label, f'{subset}_{group}', subset)
      for subset, times in (('train', 3), ('val', 1))
      for i in range(times)
      for image, label, group, _ in rows
  ]


def _epoch(i: int, skill: float) -> dict:
  accuracy = 1 - 0.7 * np.exp(-skill * (i + 1) / 3)
  return {
      'epoch': i + 1,
      'train_loss': 2 / (i + 1),
      'val_loss': 2.2 / (i + 1),
      'train_accuracy': accuracy,
      'val_accuracy': 0.95 * accuracy,
      'val_f1_macro': 0.9 * accuracy,
      'learning_rate': 1e-4,
      'images_per_second': 100.0,
      'seconds': 10.0,
  }
