r"""Classifies images with the best checkpoint of a run.

    python -m medxfer predict --workdir=DIR IMAGE_OR_FOLDER... [--output=CSV] \
        [--explain=DIR] [--explain_layer=block4_conv3]

Grey, colour, palette, CMYK, 16-bit and rotated images are all read; a folder
stands for every image below it. With --workdir=A --workdir=B the probabilities
of several runs are averaged. `unlike_training` says which percentage of the
validation images are nearer to the training images: above 99, the network
knows no such images. With --explain each image is also drawn, as
the network saw it, beside a heat map (Grad-CAM) of where its prediction comes
from. Bytes of a file's name that are no text are written as \xNN, and a
backslash that looks like one as \x5c. Research use only: no medical device.
"""

from absl import flags

from medxfer import errors
from medxfer import launcher

_WORKDIR = flags.DEFINE_multi_string(
    'workdir',
    None,
    'Workdir of a run; given several times, the runs are averaged.',
)
_OUTPUT = flags.DEFINE_string(
    'output', None, 'CSV file to write; without it the table is printed.'
)
_ON_BAD_IMAGE = flags.DEFINE_enum(
    'on_bad_image',
    'fail',
    ['fail', 'skip'],
    'Whether an unreadable image ends the command or is reported and left out.',
)
_EXPLAIN = flags.DEFINE_string(
    'explain',
    None,
    'Folder for a picture of each image with a heat map of its prediction, '
    'and index.csv; must be absent or empty.',
)
_EXPLAIN_LAYER = flags.DEFINE_string(
    'explain_layer',
    None,
    'Convolution whose activations the heat map weighs, such as block4_conv3: '
    'later ones know more about classes, earlier ones about places. Without '
    'it the deepest one whose map has six places per side.',
)
# Key of a run -> this command's flag for it; see `launcher.run`.
CALLS = {'data.on_bad_image': '--on_bad_image'}


def main(argv: list[str]) -> None:
  """Reads the flags, then predicts."""
  workdirs = launcher.workdirs(_WORKDIR)
  if not argv:
    raise errors.UsageError('name at least one image or folder (see --help)')
  # TensorFlow and JAX take seconds to load: refuse first, load then.
  from medxfer.runs import predict

  predict.predict(
      workdirs,
      launcher.paths(argv),
      output=launcher.path(_OUTPUT),
      on_bad_image=_ON_BAD_IMAGE.value,
      explain=launcher.path(_EXPLAIN),
      explain_layer=_EXPLAIN_LAYER.value,
  )
