"""What `model.preprocessing` does, as one product and one sum per channel.

Formats without JAX need it in their own layers. The reversed channels of
'caffe' cost no layer: the kernel of the first convolution is reversed instead.
"""

from collections.abc import Mapping
import dataclasses

import numpy as np

from medxfer.export import network as networks

# Of ImageNet, in the order of RGB; see `medxfer.model.preprocessing`.
_CAFFE_MEANS = (123.68, 116.779, 103.939)


@dataclasses.dataclass(frozen=True)
class Pixels:
  """A pixel p becomes `scale * p + offset`.

  Attributes:
    scale: the same for all channels.
    offset: of red, green and blue.
    is_bgr: whether the network takes blue first.
  """

  scale: float
  offset: tuple[float, float, float]
  is_bgr: bool = False


MODES: Mapping[str, Pixels] = {
    'caffe': Pixels(
        1.0, (-_CAFFE_MEANS[0], -_CAFFE_MEANS[1], -_CAFFE_MEANS[2]), is_bgr=True
    ),
    'tf': Pixels(1 / 127.5, (-1.0, -1.0, -1.0)),
    'rescale': Pixels(1 / 255, (0.0, 0.0, 0.0)),
}


def arrays(network: networks.ExportedNetwork, layer: str) -> list[np.ndarray]:
  """Returns a layer's [kernel, bias], float32, for RGB pixels.

  Args:
    network: what is exported.
    layer: a key of `network.params`.
  """
  kernel, bias = (
      np.asarray(network.params[layer][leaf], np.float32)
      for leaf in ('kernel', 'bias')
  )
  if (
      layer == network.architecture.convolutions[0]
      and MODES[network.spec.preprocessing].is_bgr
  ):
    kernel = kernel[:, :, ::-1]
  return [kernel, bias]
