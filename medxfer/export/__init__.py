"""A trained network as one file for Keras, ONNX Runtime or JAX.

  from medxfer import export
  export.export(export.ExportedNetwork(...), pathlib.Path('model.onnx'))

The file holds the whole network: preprocessing, backbone, head and softmax.
Its input are RGB pixels from 0 to 255, [batch, height, width, 3], in the image
size of the run; its output are probabilities, [batch, classes]. The batch size
is free. The class names, in the order of the probabilities, travel inside the
file, as part of its metadata; see the module of each format for how to load
both. Networks compute in float32, whatever type the run computed in.
"""

from medxfer.export.network import ExportedNetwork
from medxfer.export.writing import check
from medxfer.export.writing import export
from medxfer.export.writing import is_format
from medxfer.export.writing import SUFFIXES

__all__ = ['ExportedNetwork', 'SUFFIXES', 'check', 'export', 'is_format']
