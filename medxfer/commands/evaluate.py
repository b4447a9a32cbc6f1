"""Scores the images of a run again, or labelled images from elsewhere.

    python -m medxfer evaluate --workdir=RUN [--subset=test] [--output=DIR]
    python -m medxfer evaluate --workdir=RUN --data_dir=DIR_OR_CSV \\
        [--classes=THEIRS=OURS,...] [--groups=CSV] [--name=NAME]

With --workdir=A --workdir=B the probabilities of several runs are averaged.

The first scores every image of a subset of the run again, from its best
checkpoint; the workdir is only read. With --subset, --data_dir is where the
images of the run are now.

The second is an external validation: DIR holds a folder of images per class,
the table image,label[,group] names images, or --dataset says which known data
set DIR is. Copies of images of the run itself are taken out.
Printed, and kept in RUN/external/NAME/ for reports: all metrics with intervals,
the difference to the test images of the run, and what of it is ranking,
threshold, fractions of the classes, and calibration.
"""

import os

from absl import flags

from medxfer import errors
from medxfer import flag_names
from medxfer import launcher
from medxfer.data import registry

_WORKDIR = flags.DEFINE_multi_string(
    'workdir',
    None,
    'Workdir of a run; given several times, the runs are averaged.',
)
_SUBSET = flags.DEFINE_enum(
    'subset',
    None,
    ['train', 'val', 'test'],
    'Which images of the run to score.',
)
flags.DEFINE_alias('split', 'subset')  # Its name in version 0.1.
_DATA_DIR = flags.DEFINE_string(
    'data_dir',
    None,
    'Folder or table of labelled images from elsewhere; with --subset, where '
    'the images of the run are now.',
)
_OUTPUT = flags.DEFINE_string(
    'output', None, 'Folder for predictions_SUBSET.csv and summary_SUBSET.json.'
)
_CLASSES = flags.DEFINE_string(
    'classes',
    '',
    'THEIRS=OURS,...: classes from elsewhere that are called otherwise here; '
    'THEIRS= leaves the images of a class out.',
)
_GROUPS = flags.DEFINE_string(
    'groups', None, 'CSV file image,group, such as the patient of each image.'
)
_DATASET = flags.DEFINE_enum(
    'dataset', 'folder', registry.NAMES, 'The data set that --data_dir holds.'
)
_NAME = flags.DEFINE_string(
    'name', '', 'Name of the place; by default that of the folder or table.'
)
_ON_BAD_IMAGE = flags.DEFINE_enum(
    'on_bad_image',
    'fail',
    ['fail', 'skip'],
    'Whether an unreadable image from elsewhere ends the command or is left '
    'out.',
)
# Key of a run -> this command's flag for it; see `launcher.run`.
CALLS = {
    'data.dir': '--data_dir',
    'data.groups': '--groups',
    'data.on_bad_image': '--on_bad_image',
}


def main(argv: list[str]) -> None:
  """Reads the flags, then evaluates."""
  launcher.require(argv)
  workdirs = launcher.workdirs(_WORKDIR)
  data_dir, output = launcher.path(_DATA_DIR), launcher.path(_OUTPUT)
  groups = launcher.path(_GROUPS)
  if data_dir is None or _SUBSET.value:
    _refuse_external_flags()
    # TensorFlow and JAX take seconds to load: refuse first, load then.
    from medxfer.runs import evaluate

    evaluate.evaluate(
        workdirs,
        _SUBSET.value or 'test',
        output=output,
        data_dir=os.fspath(data_dir) if data_dir else None,
    )
    return
  if output and not workdirs[1:]:
    raise errors.UsageError(
        '--output goes with the images of the run, or with several runs; what '
        'comes from elsewhere is kept in the folder external/ of the workdir'
    )
  from medxfer import ensemble
  from medxfer.external import class_mapping
  from medxfer.external import validation

  validation.validate(
      ensemble.load(*workdirs),
      data_dir,
      name=_NAME.value,
      classes=class_mapping.parse(_CLASSES.value),
      groups=groups,
      dataset=_DATASET.value,
      on_bad_image=_ON_BAD_IMAGE.value,
      output=output,
  )


def _refuse_external_flags() -> None:
  # Messages about images of the run name no flag that they cannot have.
  names, keys = flag_names.current()
  own = {key: flag for key, flag in names.items() if key == 'data.dir'}
  flag_names.use((own, keys))
  for flag in (_CLASSES, _GROUPS, _DATASET, _NAME, _ON_BAD_IMAGE):
    if flag.value != flag.default:
      raise errors.UsageError(
          f'--{flag.name} goes with --data_dir=DIR without --subset: images '
          'from elsewhere'
      )
