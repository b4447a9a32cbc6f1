"""A network as an archive of Keras 3 that holds only layers of Keras.

How to load it, with any backend of Keras and without medxfer:

  import json, zipfile, keras
  model = keras.saving.load_model('model.keras')
  with zipfile.ZipFile('model.keras') as archive:
    names = json.loads(archive.read('medxfer.json'))['class_names']
  probabilities = model.predict(images)  # RGB in 0..255, any numeric type.

Keras ignores `medxfer.json`, and leaves it out of what it saves itself.
"""

import json
import os
import pathlib
import tempfile
from typing import Any
import zipfile

from medxfer.export import libraries
from medxfer.export import network as networks
from medxfer.export import pixels

METADATA_MEMBER = 'medxfer.json'


def write(network: networks.ExportedNetwork, path: pathlib.Path) -> None:
  """Writes a .keras archive.

  Args:
    network: what to write.
    path: the file to write, in place.

  Raises:
    DataError: Keras is not installed.
  """
  keras = libraries.load('keras', install='keras tensorflow')
  # Keras writes to names that end with .keras alone.
  with tempfile.TemporaryDirectory(
      dir=path.parent, prefix='.', suffix='.tmp'
  ) as folder:
    archive = pathlib.Path(folder) / 'model.keras'
    with keras.device('cpu'):
      _model(keras, network).save(archive)
    with zipfile.ZipFile(archive, 'a') as file:
      file.writestr(METADATA_MEMBER, json.dumps(network.metadata(), indent=1))
    os.replace(archive, path)


def _model(keras: Any, network: networks.ExportedNetwork) -> Any:
  architecture, layers = network.architecture, keras.layers
  x = images = keras.Input((*network.image_size, 3), name='images')
  x = _preprocessing(keras, network.spec.preprocessing)(x)
  for block, convolutions in architecture.blocks.items():
    for name in convolutions:
      x = layers.Conv2D(
          architecture.channels[name],
          3,
          padding='same',
          activation='relu',
          name=name,
      )(x)
    x = layers.MaxPooling2D(name=f'{block}_pool')(x)
  x = layers.Flatten(name='flatten')(x)
  *hidden, last = architecture.head
  for name, units in zip(hidden, network.spec.head_units, strict=True):
    x = layers.Dense(units, activation='relu', name=name)(x)
    x = layers.Dropout(network.spec.dropout, name=f'{name}_dropout')(x)
  x = layers.Dense(len(network.class_names), activation='softmax', name=last)(x)
  model = keras.Model(images, x, name=architecture.name)
  for name in architecture.layers:
    model.get_layer(name).set_weights(pixels.arrays(network, name))
  return model


def _preprocessing(keras: Any, mode: str) -> Any:
  known = pixels.MODES[mode]
  if known.scale == 1:
    return keras.layers.Normalization(
        mean=[-offset for offset in known.offset],
        variance=[1.0] * 3,
        name='preprocessing',
    )
  return keras.layers.Rescaling(
      known.scale, known.offset[0], name='preprocessing'
  )
