"""Writes procedural look-alikes of a data set, in its public layout.

  python -m medxfer make_phantom --dataset=ham10000|chest_xray --output=DIR \
      [--images=600] [--seed=0] [--width=W --height=H]

The same flags give the same bytes. DIR must be absent or empty.
"""

from absl import flags

from medxfer import launcher
from medxfer.data import phantom

_DATASET = flags.DEFINE_enum(
    'dataset', 'ham10000', sorted(phantom.KINDS), 'Data set to imitate.'
)
_OUTPUT = flags.DEFINE_string(
    'output', None, 'Folder to write; must be absent or empty.', required=True
)
_IMAGES = flags.DEFINE_integer('images', 600, 'Number of images.')
_SEED = flags.DEFINE_integer('seed', 0, 'Decides every byte.')
_WIDTH = flags.DEFINE_integer(
    'width', None, "Width of the images, pixels; None is the data set's."
)
_HEIGHT = flags.DEFINE_integer(
    'height', None, "Height of the images, pixels; None is the data set's."
)


def main(argv: list[str]) -> None:
  """Writes the data set that the flags name."""
  del argv
  output = launcher.required_path(_OUTPUT)
  kind = phantom.KINDS[_DATASET.value]
  width, height = kind.size
  if _WIDTH.value is not None:
    width = _WIDTH.value
  if _HEIGHT.value is not None:
    height = _HEIGHT.value
  kind.write(
      output, images=_IMAGES.value, seed=_SEED.value, size=(width, height)
  )
  print(f'{_IMAGES.value} phantoms of {_DATASET.value} are in {output}')
