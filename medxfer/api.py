"""Training and comparing from Python; see also `medxfer.classifier`."""

from collections.abc import Mapping
import os
import pathlib
from typing import Any

import ml_collections

from medxfer import baselines
from medxfer import classifier
from medxfer import config_flag
from medxfer import errors
from medxfer import spec as specs
from medxfer import startup
from medxfer.evaluation import paired
from medxfer.report.read import finished_run
from medxfer.runs import run as runs
from medxfer.training import devices
from medxfer.training import strategy


def train(
    config: str | Mapping[str, Any],
    *,
    workdir: str | os.PathLike[str],
    **changes: Any,
) -> classifier.Classifier:
  """Trains a network, or resumes its training, and returns it.

      medxfer.train('ham:last_block,tuned,cpu,phantom', workdir='runs/x',
                    training={'epochs': 3}, seed=1)

  Args:
    config: RECIPE:ARM[,MODIFIER...], where RECIPE is the name of a recipe
      (ham, xray, folder) or a path of a Python file with `get_config`; or a
      configuration.
    workdir: the folder of the run; a finished run is not trained again.
    **changes: key -> value, groups of keys as mappings.

  Raises:
    UsageError: a recipe, an arm or a key does not exist, a value is not
      allowed, or the configuration is of a tree, which keeps no weights.
    DataError: images or weights are missing or damaged.
  """
  if isinstance(config, str):
    config = config_flag.load(config_flag.found(config))
  spec = specs.from_config(_changed(config, changes))
  if spec.model.name in baselines.NAMES:
    raise errors.UsageError(
        f'model.name={spec.model.name}: a tree keeps no weights to return; '
        'train it with `medxfer train`'
    )
  strategy.check(spec)
  startup.quieten()
  devices.repeatable(wanted=spec.deterministic)
  path = pathlib.Path(workdir)
  runs.run(spec, path)
  return classifier.load(path)


def compare(
    a: str | os.PathLike[str],
    b: str | os.PathLike[str],
    *,
    resamples: int = 1000,
) -> dict[str, Any]:
  """Compares two finished runs on the test images that they share.

  Args:
    a: the workdir of one,
    b: and of the other.
    resamples: random draws of the permutation tests.

  Returns:
    The differences a - b of accuracy and macro F1, each with its interval and
    p-value; see `medxfer.evaluation.paired.compare`.

  Raises:
    DataError: a run is not finished, or their test images differ.
  """
  tables = []
  for path in (a, b):
    try:
      run = finished_run.read(pathlib.Path(path), f'{path}')
    except errors.DataError as error:
      raise errors.DataError(f'{path}: {error}') from error
    tables.append(run.predictions)
  return paired.compare(*tables, resamples=resamples)


def _changed(
    config: Mapping[str, Any], changes: Mapping[str, Any]
) -> ml_collections.ConfigDict:
  """Returns a configuration with other values of some keys."""
  config = ml_collections.ConfigDict(config).lock()
  try:
    config.update(changes)
  except (AttributeError, KeyError, TypeError) as error:
    raise errors.UsageError(
        f'{" ".join(str(error.args[0]).split())} (changes: {changes})'
    ) from error
  return config
