"""The work in Keras: `keras.applications.VGG16`, `train_on_batch`, `fit`."""

from collections.abc import Callable
import os

import keras
import numpy as np

from medxfer.bench import setting as settings
from medxfer.bench import work
from medxfer.model import trainable
from medxfer.model import weights as weights_lib


def prepare(setting: settings.Setting, *, backend: str) -> work.Work:
  """Returns the work of a setting."""
  if keras.backend.backend() != backend:
    raise RuntimeError(f'Keras runs on {keras.backend.backend()}')
  if backend == 'tensorflow':
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(setting.threads)
  if setting.precision == 'bfloat16':
    keras.mixed_precision.set_global_policy('mixed_bfloat16')
  model = _model(setting)
  images, labels = settings.pixels(setting)
  measure = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
  loss = float(np.asarray(measure(labels, model.predict_on_batch(images))))
  make = {'forward': _forward, 'epoch': _epochs}.get(setting.mode, _train)
  return work.Work(
      repeat=make(setting, model, images, labels),
      loss=loss,
      version=f'keras {keras.__version__} on {backend}',
  )


def _model(setting: settings.Setting) -> keras.Model:
  """Returns the compiled network: uint8 pixels in, logits out."""
  inputs = keras.Input((setting.image_size, setting.image_size, 3))
  x = keras.applications.vgg16.preprocess_input(inputs)
  backbone = keras.applications.VGG16(
      weights=os.fspath(weights_lib.locate(None, settings.ARCHITECTURE)),
      include_top=False,
      input_tensor=x,
  )
  x = keras.layers.Flatten()(backbone.output)
  head = settings.head(setting)
  for name in ('fc1', 'fc2'):
    x = keras.layers.Dense(
        len(head[name]['bias']), activation='relu', name=name
    )(x)
    x = keras.layers.Dropout(settings.DROPOUT)(x)
  x = keras.layers.Dense(settings.CLASSES, dtype='float32', name='predictions')(
      x
  )
  model = keras.Model(inputs, x)
  trained = trainable.resolve(
      settings.MODES[setting.mode] or 'all', settings.ARCHITECTURE
  )
  for layer in model.layers:
    layer.trainable = layer.name in trained
  for name, leaves in head.items():
    model.get_layer(name).set_weights([leaves['kernel'], leaves['bias']])
  model.compile(
      optimizer=keras.optimizers.AdamW(
          settings.LEARNING_RATE, weight_decay=settings.WEIGHT_DECAY
      ),
      loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
  )
  return model


def _forward(setting, model, images, labels) -> Callable[[int], None]:
  del labels

  def repeat(steps: int) -> None:
    for _ in range(steps):
      model.predict_on_batch(images)

  return repeat


def _train(setting, model, images, labels) -> Callable[[int], None]:
  def repeat(steps: int) -> None:
    for _ in range(steps):
      model.train_on_batch(images, labels)

  return repeat


class _Folder(keras.utils.PyDataset):
  """Class folders, decoded and resized by Pillow in worker processes."""

  def __init__(self, setting: settings.Setting):
    super().__init__(workers=setting.threads, use_multiprocessing=False)
    self._setting = setting
    self._files = settings.files(setting.folder)
    self._order = np.arange(len(self._files))

  def __len__(self) -> int:
    return -(-len(self._files) // self._setting.batch_size)

  def __getitem__(self, batch: int) -> tuple[np.ndarray, np.ndarray]:
    size, side = self._setting.batch_size, self._setting.image_size
    rows = self._order[batch * size : (batch + 1) * size]
    images = np.stack(
        [settings.read_image(self._files[row][0], side) for row in rows]
    )
    return images, np.array([self._files[row][1] for row in rows])

  def on_epoch_end(self) -> None:
    """Shuffles."""
    np.random.default_rng(0).shuffle(self._order)


def _epochs(setting, model, images, labels) -> Callable[[int], None]:
  del images, labels
  dataset = _Folder(setting)

  def repeat(steps: int) -> None:
    del steps
    model.fit(dataset, epochs=settings.EPOCHS, verbose=0)

  return repeat
