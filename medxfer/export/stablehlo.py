"""A network as StableHLO, in a zip archive: what `jax.export` serializes.

How to load it, with JAX alone, on a CPU, a GPU (CUDA) or a TPU:

  import json, zipfile, jax.export
  with zipfile.ZipFile('model.stablehlo') as archive:
    names = json.loads(archive.read('medxfer.json'))['class_names']
    network = jax.export.deserialize(bytearray(archive.read('network.bin')))
  probabilities = network.call(images)  # float32, 0..255.

JAX reads what it serialized up to six months ago; see its page on export.
"""

import dataclasses
import json
import pathlib
import zipfile

from medxfer.export import network as networks

METADATA_MEMBER = 'medxfer.json'
NETWORK_MEMBER = 'network.bin'
_PLATFORMS = ('cpu', 'cuda', 'tpu')


def write(network: networks.ExportedNetwork, path: pathlib.Path) -> None:
  """Writes a .stablehlo archive.

  Args:
    network: what to write.
    path: the file to write, in place.
  """
  with zipfile.ZipFile(path, 'w') as archive:
    archive.writestr(METADATA_MEMBER, json.dumps(network.metadata(), indent=1))
    archive.writestr(NETWORK_MEMBER, _serialized(network))


def _serialized(network: networks.ExportedNetwork) -> bytearray:
  import jax
  import jax.export
  import jax.numpy as jnp

  from medxfer.model import preprocessing
  from medxfer.model import vgg

  spec = dataclasses.replace(network.spec, dtype='float32')
  model = vgg.build(spec, len(network.class_names))
  params = jax.tree.map(jnp.asarray, dict(network.params))

  def classify(images: jax.Array) -> jax.Array:
    prepared = preprocessing.preprocess(images, spec.preprocessing)
    logits, _ = vgg.forward(model, params, prepared)
    return jax.nn.softmax(logits)

  [batch] = jax.export.symbolic_shape('batch')
  images = jax.ShapeDtypeStruct((batch, *network.image_size, 3), jnp.float32)
  # GPUs and TPUs would round products of float32 to shorter types.
  with jax.default_matmul_precision('highest'):
    return jax.export.export(jax.jit(classify), platforms=_PLATFORMS)(
        images
    ).serialize()
