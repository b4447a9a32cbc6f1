"""Every parser that is ours, fed with bytes that nobody vouches for.

A parser may return, or refuse with an error of ours; nothing else. The
property tests and the fuzzer share this table.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import dataclasses
import io
import json
import pathlib
import tempfile
from typing import Any
from typing import ContextManager
import warnings
import zipfile

import h5py
import numpy as np
import onnx.helper
import onnx.numpy_helper
from PIL import Image

from medxfer import cache
from medxfer import errors
from medxfer import spec as specs
from medxfer.data import archives
from medxfer.data import deep_grey
from medxfer.data import folders
from medxfer.data import ham10000
from medxfer.data import images
from medxfer.data import labelled_table
from medxfer.evaluation import predictions
from medxfer.external import results
from medxfer.external import words
from medxfer.model import architectures
from medxfer.model import weights
from medxfer.model.weights import metadata as contracts
from medxfer.model.weights import native
from medxfer.model.weights import safetensors_file
from medxfer.recipes import folder as folder_config
from medxfer.recipes import ham
from medxfer.recipes import layers as layers_config
from medxfer.recipes import table_7_1
from medxfer.recipes import xray
from medxfer.report.read import layer_measures
from medxfer.runs import workdir
from medxfer.study import layer_arms
from medxfer.study import plan
from medxfer.training import feature_store
from tests.data import dicom_files

_KEY = {'a': 1}
_ALLOWED = (errors.MedxferError, cache.Damaged)


@dataclasses.dataclass(frozen=True, eq=False)
class Parser:
  """One of them.

  Attributes:
    parse: (folder, bytes) -> None; writes the bytes to where they are read,
      and reads them. The folder is empty, or that of a call before.
    seed: bytes that it accepts.
  """

  parse: Callable[[pathlib.Path, bytes], None]
  seed: bytes

  def feed(self, content: bytes) -> bool:
    """Returns whether the parser accepts the content.

    Raises:
      Exception: any that a person would see as a traceback.
    """
    with tempfile.TemporaryDirectory(prefix='medxfer-hostile-') as folder:
      try:
        self.parse(pathlib.Path(folder), content)
      except _ALLOWED:
        return False
    return True


def _ham_table(folder: pathlib.Path, content: bytes) -> None:
  (folder / ham10000.METADATA).write_bytes(content)
  (folder / 'images').mkdir(exist_ok=True)
  for i in range(2):
    (folder / 'images' / f'ISIC_{i}.jpg').write_bytes(b'\xff\xd8\xff')
  ham10000.read(folder)


def _groups(folder: pathlib.Path, content: bytes) -> None:
  for name in ('a/1.png', 'b/2.png'):
    (folder / 'data' / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / 'data' / name).write_bytes(b'\xff\xd8\xff')
  (folder / 'groups.csv').write_bytes(content)
  folders.read(folder / 'data', groups=folder / 'groups.csv')


def _weights(suffix: str) -> Callable[[pathlib.Path, bytes], None]:
  def parse(folder: pathlib.Path, content: bytes) -> None:
    path = folder / f'weights{suffix}'
    path.write_bytes(content)
    weights.read(path, architectures.BY_NAME['vgg16'])

  return parse


def _contract(_: pathlib.Path, content: bytes) -> None:
  contracts.Contract.from_json(content)


def _arm(_: pathlib.Path, content: bytes) -> None:
  text = content.decode('utf-8', 'replace')
  for module in (xray, folder_config, layers_config, table_7_1, ham):
    try:
      config = module.get_config(text)
      if 'study' in config:
        plan.from_config(config, pathlib.Path('study'))
      else:
        specs.from_config(config)
    except errors.UsageError:
      if module is ham:
        raise


def _spec(folder: pathlib.Path, content: bytes) -> None:
  (folder / 'config.json').write_bytes(content)
  workdir.Workdir(folder).spec()


def _predictions(folder: pathlib.Path, content: bytes) -> None:
  (folder / 'predictions.csv').write_bytes(content)
  predictions.read(folder / 'predictions.csv')


def _split(folder: pathlib.Path, content: bytes) -> None:
  (folder / 'split.csv').write_bytes(content)
  workdir.Workdir(folder).split()


def _history(folder: pathlib.Path, content: bytes) -> None:
  (folder / 'metrics.jsonl').write_bytes(content)
  workdir.Workdir(folder).history()


def _labels(folder: pathlib.Path, content: bytes) -> None:
  (folder / '1.png').write_bytes(_deep('PNG'))
  (folder / 'labels.csv').write_bytes(content)
  labelled_table.read(folder / 'labels.csv')


def _external(folder: pathlib.Path, content: bytes) -> None:
  place = folder / 'external' / 'there' / 'external.json'
  place.parent.mkdir(parents=True, exist_ok=True)
  place.write_bytes(content)
  for found in results.read(folder):
    words.headline(found)


def _validated() -> bytes:
  measure = {'value': 0.5, 'interval': [0.4, 0.6]}
  sides = dict.fromkeys(('here', 'there', 'difference'), measure)
  adjusted = {'accuracy': measure, 'ece': {'value': 0.1, 'interval': None}}
  fractions = {'a': 0.5, 'b': 0.5}
  return json.dumps(
      {
          'summary_digest': None,
          'name': 'there',
          'n': 100,
          'groups': 60,
          'absent_classes': [],
          'notes': [],
          'seen': {'looked': True, 'why': '', 'copies': 0},
          'comparison': {
              'metrics': dict.fromkeys(
                  ('auroc_macro', 'accuracy', 'ece'), sides
              ),
              'threshold': measure,
              'fractions': dict.fromkeys(
                  ('training', 'known', 'estimated'), fractions
              ),
              'adjusted': dict.fromkeys(('known', 'estimated'), adjusted),
          },
      }
  ).encode()


def _layers(folder: pathlib.Path, content: bytes) -> None:
  (folder / layer_arms.MEASURED).write_bytes(content)
  layer_measures.read(
      folder / layer_arms.MEASURED, architectures.BY_NAME['vgg16'].convolutions
  )


def _cached(suffix: str) -> Callable[[pathlib.Path, bytes], None]:
  def parse(folder: pathlib.Path, content: bytes) -> None:
    with _slot(folder) as slot:
      (folder / f'pixels-{cache.fingerprint(_KEY)}{suffix}').write_bytes(
          content
      )
      slot.read()

  return parse


@contextlib.contextmanager
def _slot(folder: pathlib.Path) -> Iterator[cache.Slot]:
  """Yields a place that holds an entry."""
  with cache.slot(folder, 'pixels', _KEY) as slot:
    with slot.draft((2, 2), np.dtype(np.uint8)) as draft:
      draft.array[:] = 1
      draft.commit({'n': 2})
    yield slot


def _journal(folder: pathlib.Path, content: bytes) -> None:
  """Reads which places of a prefix' activations are filled."""
  with _kept(folder):
    pass
  [journal] = folder.glob('prefix-*/journal')
  journal.write_bytes(content)
  with _kept(folder) as activations:
    # It holds zeros, whose checksum is another.
    assert not activations.filled[2:].any()
    activations.take(np.arange(2))


def _kept(folder: pathlib.Path) -> ContextManager[feature_store.Kept]:
  return feature_store.on_disk(folder, _KEY, (4, 2, 3), np.dtype(np.float32))


def _image(_: pathlib.Path, content: bytes) -> None:
  with warnings.catch_warnings():
    warnings.simplefilter('ignore')  # Pillow's, of odd headers.
    images.read_rgb(content, grey_range=deep_grey.Range(0, 4095))
    images.read_grey(content, 'image')
    images.loses_bits(content, 'image')


def _archive(folder: pathlib.Path, content: bytes) -> None:
  (folder / 'images.zip').write_bytes(content)
  archives.unpack_images(folder / 'images.zip', folder / 'images')


def _deep(kind: str, **options: Any) -> bytes:
  file = io.BytesIO()
  values = np.arange(64, dtype=np.uint16).reshape(8, 8) * 60
  Image.fromarray(values).save(file, kind, **options)
  return file.getvalue()


def _npz(small: weights.Weights) -> bytes:
  with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / 'weights.npz'
    native.write(small, path)
    return path.read_bytes()


def _safetensors(small: weights.Weights) -> bytes:
  with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / 'weights.safetensors'
    safetensors_file.write(small, path)
    return path.read_bytes()


def _hdf5(small: weights.Weights) -> bytes:
  file = io.BytesIO()
  with h5py.File(file, 'w') as root:
    for name, values in contracts.flatten(small.params).items():
      root[name] = values
  return file.getvalue()


def _zip(name: str, content: bytes) -> bytes:
  file = io.BytesIO()
  with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
    archive.writestr(name, content)
  return file.getvalue()


def _onnx() -> bytes:
  tensors = [
      onnx.numpy_helper.from_array(
          np.zeros(shape, np.float32), f'vgg16/{name}:0'
      )
      for name, shape in (
          ('block1_conv1_1/convolution/ReadVariableOp', (64, 3, 3, 3)),
          ('block1_conv1_1/Squeeze', (64,)),
          ('dense_1/MatMul/ReadVariableOp', (2, 2)),
      )
  ]
  graph = onnx.helper.make_graph([], 'vgg16', [], [], tensors)
  return onnx.helper.make_model(graph).SerializeToString()


def _entry(suffix: str) -> bytes:
  with tempfile.TemporaryDirectory() as folder, _slot(pathlib.Path(folder)):
    [path] = pathlib.Path(folder).glob(f'*{suffix}')
    return path.read_bytes()


def _filled_journal() -> bytes:
  with tempfile.TemporaryDirectory() as folder:
    with _kept(pathlib.Path(folder)) as activations:
      activations.put(np.arange(2), 0, np.ones((2, 3), np.float32))
    [path] = pathlib.Path(folder).glob('prefix-*/journal')
    return path.read_bytes()


def _small_weights() -> weights.Weights:
  params = {
      'block1_conv1': {
          'kernel': np.zeros((3, 3, 3, 64), np.float32),
          'bias': np.zeros(64, np.float32),
      }
  }
  return weights.Weights(
      params,
      weights.describe(
          params,
          architecture='vgg16',
          source='a test',
          preprocessing='caffe',
          classes=('a', 'b'),
      ),
  )


def _table() -> dict[str, Parser]:
  small = _small_weights()
  head = (
      b'lesion_id,image_id,dx,dx_type,age,sex,localization\n'
      b'HAM_0,ISIC_0,nv,histo,80.0,male,scalp\n'
      b'HAM_1,ISIC_1,mel,histo,,female,ear\n'
  )
  table = (
      b'image_id,label,prediction,p_a,p_b\n' b'x,a,a,0.75,0.25\ny,b,b,0.1,0.9\n'
  )
  spec = specs.from_config(ham.get_config('last_block,tuned'))
  return {
      'ham_table': Parser(_ham_table, head),
      'groups': Parser(_groups, b'image,group\n1.png,p\nb/2.png,q\n'),
      'npz': Parser(_weights('.npz'), _npz(small)),
      'safetensors': Parser(_weights('.safetensors'), _safetensors(small)),
      'hdf5': Parser(_weights('.weights.h5'), _hdf5(small)),
      'keras': Parser(
          _weights('.keras'), _zip('model.weights.h5', _hdf5(small))
      ),
      'onnx': Parser(_weights('.onnx'), _onnx()),
      'contract': Parser(_contract, small.contract.to_json().encode()),
      'arm': Parser(_arm, b'last_block,tuned,cpu'),
      'spec': Parser(_spec, json.dumps(spec.to_json()).encode()),
      'predictions': Parser(_predictions, table),
      'split': Parser(
          _split, b'image_id,label,group,split\nx,a,g,train\ny,b,h,test\n'
      ),
      'history': Parser(
          _history, b'{"epoch": 1, "train_accuracy": 0.5, "val_accuracy": 1}\n'
      ),
      # Lists in lists: a parser that follows them fills its stack.
      'nested': Parser(_spec, b'[' * 200_000),
      'layers': Parser(_layers, b'{"key": {}, "seeds": {"0": {}}}'),
      'cache_about': Parser(_cached('.json'), _entry('.json')),
      'cache_array': Parser(_cached('.npy'), _entry('.npy')),
      'journal': Parser(_journal, _filled_journal()),
      'labels': Parser(_labels, b'image,label,group,sex\n1.png,a,p,f\n'),
      'external': Parser(_external, _validated()),
      'dicom': Parser(
          _image,
          dicom_files.content(
              np.arange(64).reshape(8, 8), WindowCenter=30, WindowWidth=20
          ),
      ),
      'grey_png': Parser(_image, _deep('PNG')),
      'grey_tiff': Parser(_image, _deep('TIFF', tiffinfo={281: 4095})),
      'grey_pgm': Parser(_image, b'P5 2 2 4095\n' + bytes(8)),
      'grey_jpeg2000': Parser(_image, _deep('JPEG2000')),
      'archive': Parser(
          _archive, _zip('a/ISIC_0000001.jpg', b'\xff\xd8' + bytes(9))
      ),
  }


PARSERS = _table()
