"""Draws what a layer of a network makes of images.

    python -m medxfer activations --workdir=DIR --output=DIR \\
        [--layer=block1_conv1] [--channels=16] [--weights=imagenet,random] \\
        IMAGE_OR_FOLDER...

One picture per image: the image, the mean over the layer's channels, and the
channels that the image excites most, each on its own scale. With --weights
the same is drawn for other weights, with or without a run to compare: figure
8.1 of the thesis is --weights=imagenet,random. Research use only.
"""

from absl import flags

from medxfer import errors
from medxfer import launcher

_STARTS = ('imagenet', 'random')

_WORKDIR = flags.DEFINE_string('workdir', None, 'Workdir of a run.')
_OUTPUT = flags.DEFINE_string(
    'output', None, 'Folder to write; must be absent or empty.'
)
_LAYER = flags.DEFINE_string(
    'layer',
    None,
    'Convolution or pooling to draw, such as block4_pool; without it the '
    'first convolution.',
)
_CHANNELS = flags.DEFINE_integer(
    'channels', 16, 'How many channels to draw.', lower_bound=1, upper_bound=64
)
_WEIGHTS = flags.DEFINE_list(
    'weights', [], f'Other weights to draw with: {", ".join(_STARTS)}.'
)
_SIZE = flags.DEFINE_integer(
    'size',
    None,
    'Side in pixels that images are squeezed to; without it '
    'that of the run, and 224 without a run.',
    lower_bound=32,
)


def main(argv: list[str]) -> None:
  """Reads the flags, then draws."""
  if not _WORKDIR.value and not _WEIGHTS.value:
    raise errors.UsageError(
        'give --workdir, --weights=imagenet, or both (see --help)'
    )
  if not _OUTPUT.value:
    raise errors.UsageError('--output is required (see --help)')
  if not argv:
    raise errors.UsageError('name at least one image or folder (see --help)')
  for name in _WEIGHTS.value:
    if name not in _STARTS:
      raise errors.UsageError(
          f'--weights={name}: give {", ".join(_STARTS)} or both'
      )
  # TensorFlow and JAX take seconds to load: refuse first, load then.
  # pylint: disable-next=import-outside-toplevel
  from medxfer.runs import activations

  activations.draw(
      launcher.paths(argv),
      output=launcher.required_path(_OUTPUT),
      layer=_LAYER.value,
      channels=_CHANNELS.value,
      run=launcher.path(_WORKDIR),
      starts=_WEIGHTS.value,
      size=_SIZE.value,
  )
