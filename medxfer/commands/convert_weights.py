r"""Converts weights between Keras, runs and medxfer, and exports networks.

  python -m medxfer convert_weights \
      --source=vgg16_notop.h5 --output=vgg16.safetensors
  python -m medxfer convert_weights --source=RUN_WORKDIR --output=ham.weights.h5
  python -m medxfer convert_weights --source=RUN_WORKDIR --output=ham.onnx

.safetensors and .npz hold all tensors, for medxfer; .h5 and .weights.h5 the
backbone, for Keras; .keras, .onnx and .stablehlo a whole network with its
preprocessing and class names, for Keras, ONNX Runtime and JAX (see
`medxfer.export`). The architecture of a file is found out from its tensors.
Every tensor is compared with it and with the digests that the source
announces; official ImageNet weights are recognised.
"""

import pathlib

from absl import flags

from medxfer import errors
from medxfer import export
from medxfer import files
from medxfer import launcher
from medxfer import spec as specs
from medxfer.model import architectures
from medxfer.model import weights
from medxfer.model.weights import metadata
from medxfer.model.weights import writing

_SOURCE = flags.DEFINE_string(
    'source',
    None,
    'Weights file (.h5, .weights.h5, .keras, .onnx, .safetensors, .npz) or the '
    'workdir of a run.',
    required=True,
)
_OUTPUT = flags.DEFINE_string(
    'output',
    None,
    'File to write: .safetensors or .npz for medxfer; .h5 or .weights.h5, the '
    'backbone for Keras; of a run also .keras, .onnx or .stablehlo, the whole '
    'network.',
    required=True,
)
_TO = flags.DEFINE_enum(
    'to',
    None,
    ['medxfer', 'keras'],
    'What to write for; told by the suffix of --output if left out.',
)
_PREPROCESSING = flags.DEFINE_enum(
    'preprocessing',
    None,
    [*metadata.PREPROCESSINGS, *specs.RENAMED['model.preprocessing']],
    'What the pixels went through when the weights were trained: caffe (as '
    'for ImageNet), tf ([-1, 1]) or rescale ([0, 1], 1/255); only for '
    'files that do not say it themselves.',
)
_OVERWRITE = flags.DEFINE_bool(
    'overwrite', False, 'Replace the output if it exists.'
)
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
    preprocessing: one of `metadata.PREPROCESSINGS`, where the source does not
      say it.
    overwrite: whether `output` may be replaced.

  Returns:
    Lines that say what was read, recognised and written.

  Raises:
    DataError: the source is missing, damaged or not what it claims.
    UsageError: the output exists, has an unknown suffix or one that
      contradicts `to`; or the preprocessing contradicts the source.
  """
  is_network = export.is_format(output)
  kind = output.suffix[1:] if is_network else writing.kind(output)
  if to not in (None, kind):
    raise errors.UsageError(
        f'--to={to} does not fit --output={output}: .safetensors and .npz are '
        "medxfer's, .h5, .weights.h5 and .keras are Keras'"
    )
  files.check_target(output, overwrite=overwrite)
  read = _read(source, preprocessing)
  if is_network:
    _export(source, output, overwrite)
    return _report(source, output, read)
  head = [layer for layer in _architecture(read).head if layer in read.params]
  written = weights.write(
      read, output, overwrite=overwrite, drop=head if kind == 'keras' else ()
  )
  return _report(source, output, written)


def _read(source: pathlib.Path, preprocessing: str | None) -> weights.Weights:
  if not source.is_dir():
    return weights.read(source, None, preprocessing=preprocessing)
  if preprocessing:
    raise errors.UsageError(
        f'{source}: a run knows its preprocessing; leave --preprocessing out'
    )
  # Orbax and JAX take seconds to import, and files do not need them.
  from medxfer.training import checkpoints

  return checkpoints.export(source)


def _export(
    source: pathlib.Path, output: pathlib.Path, overwrite: bool
) -> None:
  """Writes the whole network of a run."""
  if not source.is_dir():
    raise errors.UsageError(
        f'{output}: a whole network needs the workdir of a run as --source, '
        f'which knows its image size; {source} is a file. For the backbone '
        'alone name a .safetensors, .npz, .h5 or .weights.h5'
    )
  from medxfer import classifier

  classifier.load(source).export(output, overwrite=overwrite)


def _architecture(read: weights.Weights) -> architectures.Architecture:
  return architectures.BY_NAME[read.contract.architecture]


def _report(
    source: pathlib.Path, output: pathlib.Path, written: weights.Weights
) -> list[str]:
  promise = written.contract
  file = None if source.is_dir() else source
  lines = [
      f'read           {source}',
      f'source         {promise.source}',
      f'architecture   {_architecture(written).title}',
      f'recognised     {weights.origin(written, file)}',
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
        f'unexpected arguments {" ".join(argv)}; use --source and --output'
    )
  lines = convert(
      launcher.required_path(_SOURCE),
      launcher.required_path(_OUTPUT),
      to=_TO.value,
      preprocessing=_PREPROCESSING.value,
      overwrite=_OVERWRITE.value,
  )
  print('\n'.join(lines))
