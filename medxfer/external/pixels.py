"""Pixels of images for a trained network, as its run read its own."""

from medxfer import cache
from medxfer import predictor
from medxfer.data import decoded as decoded_lib
from medxfer.data import examples as examples_lib
from medxfer.data import file_digests
from medxfer.data import pixel_cache
from medxfer.runs import value_ranges


def read(
    trained: predictor.Predictor,
    examples: examples_lib.Examples,
    *,
    on_bad_image: str,
    is_own: bool,
) -> decoded_lib.Decoded:
  """Decodes images at the size of a network.

  Args:
    trained: the network.
    examples: the images.
    on_bad_image: 'fail' or 'skip'.
    is_own: whether they are those of the run. Deep grey images from elsewhere
      have the range of the run; where it saw none, they tell their own, which
      is said.

  Raises:
    DataError: an image cannot be read.
  """
  contents = file_digests.read(examples.paths)
  grey_range = trained.grey_range
  # An older run, without a record, took 16 bits for 0 to 65535.
  if not is_own and grey_range is not None:
    grey_range = value_ranges.of_images(
        trained.spec, examples, contents, grey_range, 'as the run has recorded'
    )
  return pixel_cache.read(
      examples,
      trained.image_size,
      on_bad_image=on_bad_image,
      where=cache.folder(trained.spec.cache_dir),
      contents=contents,
      grey_range=grey_range,
  )
