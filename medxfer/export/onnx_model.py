"""A network as an ONNX model.

How to load it, without medxfer:

  import json, onnxruntime
  session = onnxruntime.InferenceSession('model.onnx')
  about = session.get_modelmeta().custom_metadata_map
  names = json.loads(about['class_names'])
  [probabilities] = session.run(None, {'images': images})  # float32, 0..255.
"""

from collections.abc import Sequence
import json
import pathlib
from typing import Any

import numpy as np

from medxfer.export import libraries
from medxfer.export import network as networks
from medxfer.export import pixels

# Of 2022, so that runtimes of the last years read the file.
_OPSET = 17
_IR_VERSION = 8


def write(network: networks.ExportedNetwork, path: pathlib.Path) -> None:
  """Writes an .onnx model.

  Args:
    network: what to write.
    path: the file to write, in place.

  Raises:
    DataError: the package onnx is not installed.
  """
  onnx = libraries.load('onnx', install='onnx')
  helper, graph = onnx.helper, _Graph(onnx)
  _add_backbone(graph, network)
  _add_head(graph, network)
  float32, classes = onnx.TensorProto.FLOAT, len(network.class_names)
  model = helper.make_model(
      helper.make_graph(
          graph.nodes,
          network.architecture.name,
          [
              helper.make_tensor_value_info(
                  'images', float32, ['batch', *network.image_size, 3]
              )
          ],
          [
              helper.make_tensor_value_info(
                  'probabilities', float32, ['batch', classes]
              )
          ],
          initializer=graph.tensors,
      ),
      opset_imports=[helper.make_opsetid('', _OPSET)],
      ir_version=_IR_VERSION,
      producer_name='medxfer',
  )
  helper.set_model_props(
      model,
      {
          key: value if isinstance(value, str) else json.dumps(value)
          for key, value in network.metadata().items()
      },
  )
  onnx.checker.check_model(model)
  path.write_bytes(model.SerializeToString())


class _Graph:
  """Nodes in a row, each of which takes what the one before gives."""

  def __init__(self, onnx: Any):
    self._make_node = onnx.helper.make_node
    self._from_array = onnx.numpy_helper.from_array
    self._last = 'images'
    self.nodes, self.tensors = [], []

  def add(
      self,
      kind: str,
      name: str,
      arrays: Sequence[np.ndarray] = (),
      **attributes: Any,
  ) -> None:
    """Appends a node; `arrays` are its other inputs."""
    inputs = [self._last]
    for i, array in enumerate(arrays):
      inputs.append(f'{name}/{i}')
      self.tensors.append(
          self._from_array(np.ascontiguousarray(array, np.float32), inputs[-1])
      )
    self.nodes.append(
        self._make_node(kind, inputs, [name], name=name, **attributes)
    )
    self._last = name


def _add_backbone(graph: _Graph, network: networks.ExportedNetwork) -> None:
  known = pixels.MODES[network.spec.preprocessing]
  graph.add('Mul', 'scaled', [np.array(known.scale)])
  graph.add('Add', 'preprocessed', [np.array(known.offset)])
  graph.add('Transpose', 'channels_first', perm=[0, 3, 1, 2])
  for block, convolutions in network.architecture.blocks.items():
    for name in convolutions:
      kernel, bias = pixels.arrays(network, name)
      graph.add(
          'Conv',
          name,
          [kernel.transpose(3, 2, 0, 1), bias],
          kernel_shape=[3, 3],
          pads=[1] * 4,
      )
      graph.add('Relu', f'{name}_relu')
    graph.add('MaxPool', f'{block}_pool', kernel_shape=[2, 2], strides=[2, 2])


def _add_head(graph: _Graph, network: networks.ExportedNetwork) -> None:
  # `fc1` was trained on rows of channels-last images.
  graph.add('Transpose', 'channels_last', perm=[0, 2, 3, 1])
  graph.add('Flatten', 'flatten', axis=1)
  *hidden, last = network.architecture.head
  for name in hidden:
    graph.add('Gemm', name, pixels.arrays(network, name))
    graph.add('Relu', f'{name}_relu')
  graph.add('Gemm', last, pixels.arrays(network, last))
  graph.add('Softmax', 'probabilities', axis=1)
