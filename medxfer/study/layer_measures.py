"""Looks into the networks of a finished layer study, layer by layer.

What its runs reached stands in their workdirs. Here is what a pass over the
images adds: what a linear probe reads from each layer, how general a layer
is, how far training moved it, and what is lost if it is put back.
"""

from collections.abc import Callable
from collections.abc import Mapping
import dataclasses
import functools
import itertools
import math
import pathlib
from typing import Any

from medxfer import console
from medxfer import errors
from medxfer import files
from medxfer.data import datasets
from medxfer.data import splits
from medxfer.evaluation import predictions as predictions_lib
from medxfer.layerwise import generality
from medxfer.layerwise import movement
from medxfer.layerwise import probes
from medxfer.layerwise import similarity
from medxfer.model import architectures
from medxfer.runs import workdir
from medxfer.runs import workdir_lock
from medxfer.study import layer_arms
from medxfer.study import layer_networks
from medxfer.study import plan

_PARTS = 'layers'  # Folder of what a killed process need not do again.


def check(study: plan.Study) -> None:
  """Refuses images that no layer could be measured by, before any training.

  Args:
    study: any; only those of layers are measured.

  Raises:
    DataError: images are missing, or a class has too few for a probe.
  """
  if not _is_measured(study):
    return
  for data, seed in {(run.spec.data, run.spec.seed) for run in _of_arms(study)}:
    examples = datasets.read(data)
    split = splits.of_run(examples, data, seed)
    probes.refuse_too_few(examples.labels[split.train], examples.class_names)
    similarity.refuse_too_few(len(split.test))


def measure(study: plan.Study, path: pathlib.Path) -> None:
  """Measures the layers of a study and writes `layers.json` in its folder.

  Nothing is done while a run that is compared is not finished, nor a second
  time.

  Args:
    study: any; only those of layers are measured.
    path: its folder.

  Raises:
    DataError: images or a checkpoint are missing or damaged.
    UsageError: another process is measuring.
  """
  target = path / layer_arms.MEASURED
  key = _key(study, path) if _is_measured(study) else None
  if key is None:
    return
  if _found(target).get('key') == key:
    console.line(f'{target} is finished')
    return
  seeds = sorted({run.spec.seed for run in study.compared})
  with workdir_lock.locked(path / _PARTS):
    files.write_json(
        target,
        {
            'key': key,
            'seeds': {
                str(seed): _measure_seed(study, path, seed, key)
                for seed in seeds
            },
        },
    )


def _is_measured(study: plan.Study) -> bool:
  """Whether it is of layers, with the networks that are looked into."""
  if not study.name.startswith(layer_arms.PREFIX):
    return False
  arms = {run.spec.arm for run in study.compared}
  return arms.issuperset(layer_networks.needed(_architecture(study)))


def _architecture(study: plan.Study) -> architectures.Architecture:
  """Returns the architecture, which all networks of a layer study have."""
  return architectures.BY_NAME[study.runs[-1].spec.model.name]


def _of_arms(study: plan.Study) -> list[plan.Planned]:
  """Returns the runs of a study without that of its source."""
  architecture = _architecture(study)
  return [
      run
      for run in study.compared
      if layer_arms.Arm.parse(run.spec.arm, architecture)
  ]


def _key(study: plan.Study, path: pathlib.Path) -> dict[str, str] | None:
  """Returns run -> digest of its summary, or None if one has none yet.

  The runs are those that are compared.
  """
  arms = {run.spec.arm for run in study.runs}
  if study.waiting or arms != {run.spec.arm for run in study.compared}:
    return None
  digests = {
      run.name: workdir.Workdir(path / plan.RUNS / run.name).summary_digest()
      for run in study.compared
  }
  found = {name: digest for name, digest in digests.items() if digest}
  return found if len(found) == len(digests) else None


def _measure_seed(
    study: plan.Study, path: pathlib.Path, seed: int, key: Mapping[str, str]
) -> dict[str, Any]:
  architecture = _architecture(study)
  runs = {
      run.spec.arm: path / plan.RUNS / run.name
      for run in _of_arms(study)
      if run.spec.seed == seed
  }
  described: dict[str, layer_networks.Described] = {}
  moved, put_back, trained = {}, {}, None
  for arm in layer_networks.looked_into(runs, architecture):
    console.line(f'\nlayers of {runs[arm].name}')
    trained = layer_networks.load(runs[arm])
    before, after = layer_networks.names(arm, architecture)
    described[before] = layer_networks.describe(trained, trained.start, before)
    described[after] = layer_networks.describe(trained, trained.end, after)
    moved[after] = movement.relative_change(
        trained.start, trained.end, architecture.convolutions
    )
    put_back[after] = _kept(
        path / _PARTS / f'put_back_{runs[arm].name}.json',
        key[runs[arm].name],
        functools.partial(layer_networks.put_back, trained),
    )
  assert trained is not None  # See `_is_measured`.
  images = trained.images
  drawn = {'resamples': trained.spec.evaluation.resamples, 'seed': seed}
  return {
      'probes': {
          name: {
              layer: probes.score(images, read)
              for layer, read in one.readings.items()
          }
          for name, one in described.items()
      },
      'diagnostics': {name: one.diagnostics for name, one in described.items()},
      'index': _index(described, runs, architecture, images, drawn),
      'similarity': [
          {'a': a, 'b': b, 'cka': _cka(described[a], described[b])}
          for a, b in itertools.combinations(described, 2)
      ],
      'moved': moved,
      'put_back': put_back,
  }


def _kept(path: pathlib.Path, key: str, make: Callable[[], Any]) -> Any:
  """Returns what a file holds for a key, or makes it."""
  found = _found(path)
  if found.get('key') == key:
    return found['made']
  made = make()
  files.write_json(path, {'key': key, 'made': made})
  return made


def _found(path: pathlib.Path) -> Mapping[str, Any]:
  """Returns what a file holds; nothing if it is absent or damaged."""
  try:
    found = files.read_json(path)
  except (OSError, errors.DataError):
    return {}
  return found if isinstance(found, Mapping) else {}


def _index(
    described: Mapping[str, layer_networks.Described],
    runs: Mapping[str, pathlib.Path],
    architecture: architectures.Architecture,
    images: predictions_lib.Predictions,
    drawn: Mapping[str, int],
) -> dict[str, Any]:
  """Returns the index of each source's layers, and what speaks for it."""
  found = {}
  for arm in layer_networks.looked_into(runs, architecture):
    source, tuned = layer_networks.names(arm, architecture)
    if arm == layer_arms.BASE:
      continue
    indices = generality.indices(
        images,
        described[source].readings,
        described[tuned].readings,
        described[layer_arms.RANDOM].readings,
        **drawn,
    )
    frozen, trained = (
        _curve(runs, architecture, kind, source)
        for kind in (layer_arms.FROZEN, layer_arms.TUNED)
    )
    lost = {
        'frozen': {layer: -f1 for layer, f1 in frozen.items()},
        # The rest begins at random in both: what it has to learn cancels.
        'freezing': {
            layer: trained[layer] - f1
            for layer, f1 in frozen.items()
            if layer in trained
        },
    }
    found[source] = {
        'layers': {
            name: dataclasses.asdict(one) for name, one in indices.items()
        },
        'agreement': {
            name: dict(
                zip(
                    ('spearman', 'cuts'),
                    generality.agreement(indices, by_layer),
                )
            )
            for name, by_layer in lost.items()
        },
    }
  return found


def _curve(
    runs: Mapping[str, pathlib.Path],
    architecture: architectures.Architecture,
    kind: str,
    source: str,
) -> dict[str, float]:
  """Returns the last transferred layer -> macro F1 of the network."""
  found = {}
  for name, path in runs.items():
    arm = layer_arms.Arm.parse(name, architecture)
    if arm and (arm.kind, arm.source) == (kind, source):
      summary = workdir.Workdir(path).summary()
      found[architecture.convolutions[arm.count - 1]] = summary['test'][
          'f1_macro'
      ]
  return found


def _cka(
    a: layer_networks.Described, b: layer_networks.Described
) -> dict[str, float | None]:
  found = {
      name: similarity.linear_cka(a.features[name], b.features[name])
      for name in a.features
  }
  return {
      name: None if math.isnan(value) else value
      for name, value in found.items()
  }
