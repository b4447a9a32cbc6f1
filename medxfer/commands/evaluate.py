"""Recomputes the numbers of a run from its best checkpoint.

    python -m medxfer evaluate --workdir=DIR [--subset=test] [--output=DIR] \\
        [--data_dir=DIR]

Every image of the subset is scored again, once; the table of results is
printed and, with --output, written there with the predictions. The workdir
itself is only read.
"""

import os

from absl import flags

from medxfer import launcher

_WORKDIR = flags.DEFINE_string('workdir', None, 'Workdir of a run.')
_SUBSET = flags.DEFINE_enum(
    'subset', 'test', ['train', 'val', 'test'], 'Which images to score.'
)
flags.DEFINE_alias('split', 'subset')  # Its name in version 0.1.
_DATA_DIR = flags.DEFINE_string(
    'data_dir', None, 'Where the images are now, if not where the run read.'
)
_OUTPUT = flags.DEFINE_string(
    'output', None, 'Folder for predictions_SUBSET.csv and summary_SUBSET.json.'
)
# Key of a run -> this command's flag for it; see `launcher.run`.
CALLS = {'data.dir': '--data_dir'}


def main(argv: list[str]) -> None:
  """Reads the flags, then evaluates."""
  launcher.require(argv, _WORKDIR)
  # TensorFlow and JAX take seconds to load: refuse first, load then.
  from medxfer.runs import evaluate

  data_dir = launcher.path(_DATA_DIR)
  evaluate.evaluate(
      launcher.required_path(_WORKDIR),
      _SUBSET.value,
      output=launcher.path(_OUTPUT),
      data_dir=os.fspath(data_dir) if data_dir else None,
  )
