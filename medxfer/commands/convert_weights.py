r"""Converts VGG-16 weights between Keras, runs and medxfer.

  python -m medxfer convert_weights --source=vgg16_notop.h5 --output=vgg16.npz
  python -m medxfer convert_weights --source=RUN_WORKDIR --output=ham.weights.h5

Every tensor is compared with VGG-16 and with the digests that the source
announces; official ImageNet weights are recognised.
"""

import pathlib

from absl import flags

from medxfer import errors
from medxfer import files
from medxfer import launcher
from medxfer import spec as specs
from medxfer.model import layers
from medxfer.model import weights
from medxfer.model.weights import metadata
from medxfer.model.weights import writing

_SOURCE = flags.DEFINE_string(
    'source', None,
    'Weights file (.h5, .weights.h5, .keras, .onnx, .npz) or the workdir of a '
    'run.', required=True)
_OUTPUT = flags.DEFINE_string(
    'output', None,
    'File to write: .npz for medxfer, .h5 or .weights.h5 for Keras.',
    required=True)
_TO = flags.DEFINE_enum(
    'to', None, ['medxfer', 'keras'],
    'What to write for; told by the suffix of --output if left out.')
_PREPROCESSING = flags.DEFINE_enum(
    'preprocessing', None,
    [*metadata.PREPROCESSINGS, *specs.RENAMED['model.preprocessing']],
    'What the pixels went through when the weights were trained: caffe (as '
    'for ImageNet), tf ([-1, 1]) or rescale ([0, 1], 1/255); only for '
    'files that do not say it themselves.')
_OVERWRITE = flags.DEFINE_bool(
    'overwrite', False, 'Replace the output if it exists.')
# Key of a run -> this command's flag for it; see `launcher.run`.
CALLS = {'workdir': '--source'}


def convert(
    source: pathlib.Path,
    output: pathlib.Path,
    *,
    to: str | None = None,
    preprocessing: str | None = None,
    overwrite: bool = False,
) -> list[str]:
  """Converts one file or workdir.

  Args:
    source: what to read.
    output: the file to write.
    to: 'medxfer' or 'keras'; None goes by the suffix of `output`.
    preprocessing: one of `contract.PREPROCESSINGS`, where the source does not
      say it.
    overwrite: whether `output` may be replaced.

  Returns:
    Lines that say what was read, recognised and written.

  Raises:
    DataError: the source is missing, damaged or not what it claims.
    UsageError: the output exists, has an unknown suffix or one that
      contradicts `to`; or the preprocessing contradicts the source.
  """
  kind = writing.kind(output)
  if to not in (None, kind):
    raise errors.UsageError(
        f'--to={to} does not fit --output={output}: .npz is medxfer\'s, .h5 '
        'and .weights.h5 are Keras\'.'
    )
  files.check_target(output, overwrite=overwrite)
  read = _read(source, preprocessing)
  head = [layer for layer in layers.HEAD if layer in read.params]
  written = weights.write(
      read, output, overwrite=overwrite, drop=head if kind == 'keras' else ()
  )
  return _report(source, output, written)


def _read(source: pathlib.Path, preprocessing: str | None) -> weights.Weights:
  if not source.is_dir():
    return weights.read(source, preprocessing=preprocessing)
  if preprocessing:
    raise errors.UsageError(
        f'{source}: a run knows its preprocessing; leave --preprocessing out.'
    )
  # Orbax and JAX take seconds to import, and files do not need them.
  from medxfer.training import checkpoints
  return checkpoints.export(source)


def _report(
    source: pathlib.Path, output: pathlib.Path, written: weights.Weights
) -> list[str]:
  promise = written.contract
  name = weights.recognise(written.params)
  lines = [
      f'read           {source}',
      f'source         {promise.source}',
      f'recognised     {name or "not the official ImageNet weights"}',
      f'tensors        {len(promise.tensors)}',
      f'preprocessing  {promise.preprocessing}',
      f'digest         {promise.digest}',
  ]
  if promise.classes:
    lines.append(f'classes        {", ".join(promise.classes)}')
  if written.dropped:
    lines.append(
        f'left out       {", ".join(written.dropped)} (not part of the '
        'backbone)'
    )
  return lines + [f'wrote          {output}']


def main(argv: list[str]) -> None:
  """Runs the command line.

  Args:
    argv: what is left of the command line after the flags; must be empty.

  Raises:
    UsageError: there are arguments, or as `convert`.
    DataError: as `convert`.
  """
  if argv:
    raise errors.UsageError(
        f'unexpected arguments {" ".join(argv)}; use --source and --output.'
    )
  lines = convert(
      launcher.path(_SOURCE),
      launcher.path(_OUTPUT),
      to=_TO.value,
      preprocessing=_PREPROCESSING.value,
      overwrite=_OVERWRITE.value,
  )
  print('\n'.join(lines))
