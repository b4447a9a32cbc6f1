"""Keras' files: legacy .h5, Keras 3 .weights.h5, and .keras archives.

Keras itself is not needed. The layouts were read off files that Keras 2.0 and
3.15 wrote:

  legacy   [model_weights/]LAYER/.../kernel:0, or LAYER_W_1:0 in old files;
           a nested model is one LAYER that holds its layers' tensors.
  Keras 3  [layers/MODEL/]layers/CLASS_N/vars/{0,1}, where the group `vars`
           carries the layer's name in newer releases; a .keras archive holds
           such a file as model.weights.h5.
"""

from collections.abc import Iterable
import dataclasses
import pathlib
import re
import shutil
import tempfile
from typing import BinaryIO

import h5py

from medxfer import containers
from medxfer import errors
from medxfer.model import architectures
from medxfer.model.weights import external
from medxfer.model.weights import hdf5
from medxfer.model.weights import keras_graph
from medxfer.model.weights import metadata

ARCHIVE_MEMBER = 'model.weights.h5'
_ARCHIVE_MODEL = 'config.json'
_MODEL_ATTRIBUTE = 'model_config'
# The attribute in which medxfer's own Keras files carry their metadata;
# Keras ignores it.
CONTRACT_ATTRIBUTE = 'medxfer_contract'
# VGG-19 with its top and two Adam moments takes 1.8 GB.
_LARGEST_ARCHIVE = 4 * 2**30
_LARGEST_MODEL = 2**26
_OPTIMIZERS = ('optimizer', 'optimizer_weights')
_LEAF = re.compile(r'(?:^|_)(kernel|bias|W|b)(?:_\d+)?(?::\d+)?$')
_LEAVES = {
    'kernel': 'kernel',
    'W': 'kernel',
    'bias': 'bias',
    'b': 'bias',
    '0': 'kernel',
    '1': 'bias',
}
_NAMELESS = re.compile(r'conv2d(?:_(\d+))?$')


def read(
    path: pathlib.Path,
    asked: architectures.Architecture | None,
    file: BinaryIO | None = None,
    model: bytes | None = None,
) -> external.Foreign:
  """Reads the backbone from an HDF5 file of Keras.

  Args:
    path: the file, or the archive that `file` comes from.
    asked: the architecture that is needed; None if any will do.
    file: an open file to read instead of `path`.
    model: the description of its model in JSON, if that lies elsewhere.

  Returns:
    The backbone and the names of the layers beside it.

  Raises:
    DataError: the file is damaged, unsafe, does not hold exactly one backbone
      as asked, or computes something else with its weights.
  """
  with hdf5.opened(path, file) as root:
    datasets = hdf5.datasets(root, path, skip=_OPTIMIZERS)
    is_new = any('/vars/' in f'/{place}' for place in datasets)
    headers = (_new_headers if is_new else _legacy_headers)(datasets)
    convolutions, others = _split(headers)
    kind = 'Keras 3 weights' if is_new else 'legacy Keras weights'
    if is_new and not convolutions:
      convolutions, others = _by_order(headers, asked)
      kind += ' (layers told apart by their order; the file names none)'
    announced = hdf5.text(root, CONTRACT_ATTRIBUTE)
    architecture, params = external.backbone(convolutions, path, asked)
    graph = keras_graph.parse(model or hdf5.text(root, _MODEL_ATTRIBUTE), path)
    if graph:
      keras_graph.check(graph, architecture, path)
    else:
      keras_graph.refuse_scaling_layers(others, architecture, path)
    return external.Foreign(
        architecture=architecture,
        params=params,
        dropped=tuple(dict.fromkeys(header.layer for header in others)),
        kind=kind,
        announced=metadata.Contract.from_json(announced, path=path)
        if announced
        else None,
        preprocessing=keras_graph.preprocessing(graph, architecture, path),
    )


def read_archive(
    path: pathlib.Path, asked: architectures.Architecture | None
) -> external.Foreign:
  """Reads the backbone from a .keras archive.

  Args:
    path: the archive.
    asked: the architecture that is needed; None if any will do.

  Returns:
    As `read`.

  Raises:
    DataError: as `read`, or the archive is damaged or absurdly large.
  """
  with tempfile.TemporaryFile() as file:
    with containers.opened_zip(
        path, 'Save the model again with Keras.'
    ) as archive:
      size = archive.getinfo(ARCHIVE_MEMBER).file_size
      if size > _LARGEST_ARCHIVE:
        raise errors.DataError(
            f'{path}: {ARCHIVE_MEMBER} claims {size} bytes; weights take '
            f'fewer than {_LARGEST_ARCHIVE}. Save the model again'
        )
      with archive.open(ARCHIVE_MEMBER) as member:
        shutil.copyfileobj(member, file)
      model = None
      if _ARCHIVE_MODEL in archive.namelist():
        with archive.open(_ARCHIVE_MODEL) as member:
          model = member.read(_LARGEST_MODEL)
    file.seek(0)
    return read(path, asked, file, model)


def write_legacy(weights: metadata.Weights, path: pathlib.Path) -> None:
  """Writes the file that `weights=PATH` of keras.applications loads.

  Args:
    weights: a verified backbone.
    path: the .h5 file to write, in place.
  """
  with h5py.File(path, 'w') as root:
    root.attrs[CONTRACT_ATTRIBUTE] = weights.contract.to_json()
    root.attrs['backend'] = 'tensorflow'
    root.attrs['keras_version'] = '2.0.0'
    convolutions = architectures.BY_NAME[
        weights.contract.architecture
    ].convolutions
    root.attrs['layer_names'] = [name.encode() for name in convolutions]
    for layer in convolutions:
      names = [f'{layer}/{leaf}:0' for leaf in ('kernel', 'bias')]
      group = root.create_group(layer)
      group.attrs['weight_names'] = [name.encode() for name in names]
      for name, leaf in zip(names, ('kernel', 'bias'), strict=True):
        group.create_dataset(name, data=weights.params[layer][leaf])


def write_new(weights: metadata.Weights, path: pathlib.Path) -> None:
  """Writes a .weights.h5 of Keras 3 for a model of keras.applications.

  Args:
    weights: a verified backbone.
    path: the .weights.h5 file to write, in place.
  """
  with h5py.File(path, 'w') as root:
    root.attrs[CONTRACT_ATTRIBUTE] = weights.contract.to_json()
    architecture = architectures.BY_NAME[weights.contract.architecture]
    root.create_group('vars').attrs['name'] = architecture.name
    for i, layer in enumerate(architecture.convolutions):
      suffix = f'_{i}' if i else ''
      group = root.create_group(f'layers/conv2d{suffix}/vars')
      group.attrs['name'] = layer
      group.create_dataset('0', data=weights.params[layer]['kernel'])
      group.create_dataset('1', data=weights.params[layer]['bias'])


def _legacy_headers(datasets: dict[str, h5py.Dataset]) -> list[external.Header]:
  headers = []
  for place, dataset in datasets.items():
    *parts, last = place.removeprefix('model_weights/').split('/')
    # The innermost name of a VGG's layer, else the layer of the outer model.
    layer = next(
        (p for p in reversed(parts) if external.CONVOLUTION.fullmatch(p)),
        parts[0] if parts else place,
    )
    leaf = _LEAF.search(last)
    headers.append(
        _header(place, layer, _LEAVES[leaf[1]] if leaf else last, dataset)
    )
  return headers


def _new_headers(datasets: dict[str, h5py.Dataset]) -> list[external.Header]:
  headers = []
  for place, dataset in datasets.items():
    parts = place.split('/')
    parent = dataset.parent
    assert isinstance(parent, h5py.Group)  # Of a data set it always is.
    named = hdf5.text(parent, 'name') if 'vars' in parts else None
    layer = named or (parts[-3] if len(parts) > 2 else place)
    leaf = _LEAVES.get(parts[-1], parts[-1])
    headers.append(_header(place, layer, leaf, dataset))
  return headers


def _header(
    place: str, layer: str, leaf: str, dataset: h5py.Dataset
) -> external.Header:
  return external.Header(
      place,
      layer,
      leaf,
      tuple(dataset.shape or ()),
      dataset.dtype.name,
      lambda: dataset[()],
  )


def _split(
    headers: Iterable[external.Header],
) -> tuple[list[external.Header], list[external.Header]]:
  ours, others = [], []
  for header in headers:
    is_ours = external.CONVOLUTION.fullmatch(header.layer)
    (ours if is_ours else others).append(header)
  return ours, others


def _by_order(
    headers: list[external.Header], asked: architectures.Architecture | None
) -> tuple[list[external.Header], list[external.Header]]:
  """Finds the convolutions of an architecture by their shapes, without names.

  Keras numbers the layers of a class in the order of the model, so their
  order is sure; that the shapes fit is asked for here, layer by layer.
  """
  containers: dict[str, dict[int, list[external.Header]]] = {}
  for header in headers:
    parts = header.where.split('/')
    match = _NAMELESS.match(parts[-3]) if len(parts) > 2 else None
    if match:
      rank = int(match[1] or 0)
      container = containers.setdefault('/'.join(parts[:-3]), {})
      container.setdefault(rank, []).append(header)
  ours = []
  for container in containers.values():
    ordered = [container[rank] for rank in sorted(container)]
    shapes = [{h.leaf: h.shape for h in layer} for layer in ordered]
    for wanted in (a.backbone_shapes() for a in external.candidates(asked)):
      if shapes == list(wanted.values()):
        for name, layer in zip(wanted, ordered, strict=True):
          ours += [dataclasses.replace(h, layer=name) for h in layer]
  taken = {header.where for header in ours}
  return ours, [h for h in headers if h.where not in taken]
