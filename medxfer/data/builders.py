"""TFDS builders that read public downloads where they lie.

Like `tfds.ImageFolder` they need no `download_and_prepare`: a second copy of
gigabytes of patients' images would only go stale.

    builder = builders.of('ham10000')('HAM10000/')
    for example in builder.as_dataset(split='all'):
      example['image'], example['label'], example['lesion_id'], ...
"""

import functools
import os
import pathlib
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds

from medxfer.data import examples as examples_lib
from medxfer.data import registry

SPLIT = 'all'  # `splits`, which knows groups, divides it into subsets.


class TableBuilder(tfds.core.DatasetBuilder):
  """A TFDS data set over an `Examples` table; images are read lazily."""

  VERSION = tfds.core.Version('1.0.0')
  group_name = 'group'  # What the data set calls its groups.

  def __init__(self, examples: examples_lib.Examples):
    """Takes the table; `examples.paths` must exist when they are read."""
    self.examples = examples
    folder = os.fspath(examples.paths[0].parent)
    super().__init__(data_dir=folder)
    self._data_dir = folder  # As `tfds.ImageFolder` does: nothing is copied.
    info = tfds.core.SplitInfo(
        name=SPLIT, shard_lengths=[len(examples)], num_bytes=0
    )
    self.info.set_splits(tfds.core.SplitDict([info]))

  def _info(self) -> tfds.core.DatasetInfo:
    text = tfds.features.Text()
    names = ('image_id', self.group_name, *self.examples.columns)
    return tfds.core.DatasetInfo(
        builder=self,
        description=self.__doc__,
        features=tfds.features.FeaturesDict(
            {
                'image': tfds.features.Image(shape=(None, None, 3)),
                'label': tfds.features.ClassLabel(
                    names=list(self.examples.class_names)
                ),
                **{name: text for name in names},
            }
        ),
        supervised_keys=('image', 'label'),
    )

  def _download_and_prepare(self, **kwargs: Any) -> None:
    raise NotImplementedError(f'{self.name} is read where it lies')

  def download_and_prepare(self, **kwargs: Any) -> None:
    """Does nothing: there is nothing to prepare."""

  def _as_dataset(
      self,
      split: str,
      shuffle_files: bool = False,
      decoders=None,
      read_config=None,
  ) -> tf.data.Dataset:
    del shuffle_files, read_config  # The order of the table is the order.
    if split != SPLIT:
      raise ValueError(f'{self.name} has one split, {SPLIT!r}, not {split!r}')
    examples = self.examples
    columns: Any = {
        'image': [os.fspath(path) for path in examples.paths],
        'label': examples.labels.astype('int64'),
        'image_id': list(examples.image_ids),
        self.group_name: list(examples.groups),
        **{name: list(values) for name, values in examples.columns.items()},
    }
    table = tf.data.Dataset.from_tensor_slices(columns)
    features: Any = self.info.features  # Their stubs know no decoders.
    read = lambda row: features.decode_example(
        {**row, 'image': tf.io.read_file(row['image'])}, decoders=decoders
    )
    return table.map(
        tf.autograph.experimental.do_not_convert(read),
        num_parallel_calls=tf.data.AUTOTUNE,
    )


@functools.cache  # TFDS registers each class by its name, once.
def of(name: str) -> type[TableBuilder]:
  """Returns the builder of a data set, made from its record.

  It is called with the folder of a download and, optionally, on_bad_image=
  'fail' or 'skip'.
  """
  known = registry.get(name)

  def initialize(
      self: TableBuilder, folder: str | os.PathLike[str], **options: Any
  ) -> None:
    TableBuilder.__init__(self, known.read(pathlib.Path(folder), **options))

  class_name = ''.join(part.capitalize() for part in name.split('_'))
  return type(
      class_name,
      (TableBuilder,),
      {
          '__doc__': f'{known.title}: {known.description}',
          '__init__': initialize,
          '__module__': __name__,
          'name': name,
          'group_name': known.group_column or known.group,
      },
  )
