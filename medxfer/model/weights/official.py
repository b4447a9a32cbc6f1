"""Which published weights a set of parameters is."""

import hashlib
import pathlib

import numpy as np

from medxfer.model import architectures
from medxfer.model import params as params_lib
from medxfer.model.weights import metadata


def recognise(
    params: params_lib.Params,
    architecture: architectures.Architecture,
    path: pathlib.Path | None = None,
) -> str | None:
  """Whether parameters are the published weights of an architecture.

  They are recognised by the digest of every tensor. Where no digests are
  known, the file that Keras publishes is recognised by its MD5.

  Args:
    params: layer -> leaf -> array; layers of a head are not looked at.
    architecture: what they belong to.
    path: the file that they were read from, if there is one.

  Returns:
    A phrase naming them; None if they are not known.
  """
  known = architecture.pretrained
  if known is None:
    return None
  if not known.digests:
    if path is None or not path.is_file() or _md5(path) != known.md5:
      return None
    return f'{known.title} (the file that Keras publishes, by its MD5)'
  arrays = metadata.flatten(params)
  shapes = metadata.flatten(architecture.backbone_shapes())
  for name, digest in known.digests.items():
    if name not in arrays:
      return None
    array = np.asarray(arrays[name])
    if (array.shape, array.dtype.name) != (shapes[name], metadata.DTYPE):
      return None
    if metadata.tensor_digest(array) != digest:
      return None
  count = len(known.digests)
  return f'{known.title} ({count} of {count} tensors, bit for bit)'


def describe(
    weights: metadata.Weights, path: pathlib.Path | None = None
) -> str:
  """Returns what is known of the origin of weights, for people.

  Args:
    weights: a backbone, with or without a head.
    path: the file that they were read from, if there is one.
  """
  architecture = architectures.BY_NAME[weights.contract.architecture]
  name = recognise(weights.params, architecture, path)
  if name:
    return name
  known = architecture.pretrained
  if known and not known.digests:
    # A converted copy cannot be recognised.
    return f'not the file that Keras publishes; {weights.contract.source}'
  return 'not the official ImageNet weights'


def _md5(path: pathlib.Path) -> str:
  with path.open('rb') as file:
    return hashlib.file_digest(
        file, lambda: hashlib.md5(usedforsecurity=False)
    ).hexdigest()
