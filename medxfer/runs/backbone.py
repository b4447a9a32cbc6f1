"""Where a run's backbone comes from: a file, or a run that is finished."""

import pathlib

from medxfer import baselines
from medxfer import console
from medxfer import errors
from medxfer import paths
from medxfer import spec as specs
from medxfer.model import architectures
from medxfer.model import weights as weights_lib
from medxfer.runs import workdir
from medxfer.training import checkpoints
from medxfer.training import strategy

_WAY_OUT = (
    'name the finished run of a network with --config.model.init_from=WORKDIR'
)


def read(spec: specs.RunSpec) -> weights_lib.Weights | None:
  """Reads the weights that a network starts from, and says what they are.

  Args:
    spec: of the run.

  Returns:
    The weights of every convolution, or None for a random start.

  Raises:
    DataError: they are missing or damaged, do not fit the network, or the run
      that should have made them is not finished.
  """
  model = spec.model
  if model.init_from == 'random':
    return None
  path, weights = _fitting(model)
  if model.init_from == 'imagenet':
    console.line(f'weights: {path}: {weights_lib.origin(weights, path)}')
  else:
    console.line(
        f'weights: {path}: {weights.contract.source}; its head is left out'
    )
  if model.transferred != 'all':
    names = ', '.join(strategy.resolve(spec).transferred)
    console.line(
        f'transferred: {names or "none"}; the other convolutions start '
        'at random'
    )
  if model.inherit == 'statistics':
    console.line('of each layer only mean and variance are inherited')
  trained_on = weights.contract.preprocessing
  if trained_on != model.preprocessing:
    console.line(
        f'note: these weights were trained on {trained_on} pixels, this run '
        f'feeds them {model.preprocessing} pixels; '
        f'--config.model.preprocessing={trained_on} feeds them what they know'
    )
  return weights


def origin(
    spec: specs.ModelSpec, weights: weights_lib.Weights | None
) -> str | None:
  """Returns what a network starts from, in words that outlive the run.

  Args:
    spec: of the network.
    weights: that `read` has returned for it.
  """
  if weights is None:
    return None
  parts = [weights.contract.source]
  if spec.transferred != 'all':
    parts.append(f'of it {spec.transferred}')
  if spec.inherit == 'statistics':
    parts.append('mean and variance alone')
  return ', '.join(parts)


def check(spec: specs.ModelSpec) -> None:
  """Refuses a network whose layers cannot come from where they should.

  Args:
    spec: of the network.

  Raises:
    DataError: see `read`.
  """
  if spec.init_from != 'random':
    _fitting(spec)


def _fitting(spec: specs.ModelSpec) -> tuple[pathlib.Path, weights_lib.Weights]:
  """Returns weights that fit the network, and where they are."""
  architecture = architectures.BY_NAME[spec.name]
  if spec.init_from == 'imagenet':
    path = weights_lib.locate(spec.weights, architecture)
    return path, weights_lib.read(path, architecture)
  path = _source(spec)
  return path, weights_lib.verify(
      checkpoints.export(path), architecture, path=path, drop=architecture.head
  )


def _source(spec: specs.ModelSpec) -> pathlib.Path:
  """Returns the finished run that a network starts from."""
  flag = '--config.model.init_from'
  path = paths.read(spec.init_from, flag)
  if not path.is_dir():
    raise errors.DataError(
        f'{flag}={path}: no such folder, and neither imagenet nor '
        f'random; {_WAY_OUT}'
    )
  folder = workdir.Workdir(path)
  name = folder.spec().model.name
  if name in baselines.NAMES:
    raise errors.DataError(
        f'{flag}={path}: a {name} has no layers to transfer; {_WAY_OUT}'
    )
  if name != spec.name:
    raise errors.DataError(
        f'{flag}={path}: this run trained {name}, whose layers are not those '
        f'of {spec.name}; give --config.model.name={name}, or {_WAY_OUT}'
    )
  if not folder.is_finished:
    raise errors.DataError(
        f'{flag}={path}: this run is not finished; let it end (the '
        f'same command goes on with it), or {_WAY_OUT}'
    )
  return path
