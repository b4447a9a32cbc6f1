"""What an architecture is: blocks of convolutions, and a dense head.

Free of JAX, so that a launcher refuses an unknown layer at once, and weights
are compared by shape without building a network.
"""

from collections.abc import Mapping
import dataclasses
import functools
import types

HEAD: tuple[str, ...] = ('fc1', 'fc2', 'predictions')

Shapes = dict[str, dict[str, tuple[int, ...]]]


@dataclasses.dataclass(frozen=True)
class Pretrained:
  """Published weights of an architecture.

  Attributes:
    title: what they are called.
    url: of the file that Keras publishes.
    md5: of that file, as Keras declares it.
    digests: 'layer/leaf' -> sha256 of the little-endian float32 bytes, by
      which they are recognised in any format; empty if only the file is known.
    preprocessing: what their pixels went through.
  """

  title: str
  url: str
  md5: str
  preprocessing: str
  digests: Mapping[str, str] = dataclasses.field(
      default_factory=dict, hash=False
  )


@dataclasses.dataclass(frozen=True)
class Architecture:
  """A network of the VGG family: 3x3 convolutions, 2x2 poolings, three dense.

  Layers have the names that Keras gives them.

  Attributes:
    name: as `model.name` says it.
    title: for people.
    depths: convolutions of each block.
    widths: channels of each block.
    pretrained: its published weights, or None.
  """

  name: str
  title: str
  depths: tuple[int, ...]
  widths: tuple[int, ...]
  pretrained: Pretrained | None = None

  @functools.cached_property
  def blocks(self) -> Mapping[str, tuple[str, ...]]:
    """Block -> its convolutions, first to last."""
    return types.MappingProxyType(
        {
            f'block{i}': tuple(f'block{i}_conv{j + 1}' for j in range(depth))
            for i, depth in enumerate(self.depths, start=1)
        }
    )

  @functools.cached_property
  def convolutions(self) -> tuple[str, ...]:
    """All convolutions, first to last."""
    return sum(self.blocks.values(), ())

  @property
  def head(self) -> tuple[str, ...]:
    """The dense layers, first to last."""
    return HEAD

  @functools.cached_property
  def layers(self) -> tuple[str, ...]:
    """Every layer with parameters, first to last."""
    return self.convolutions + self.head

  @functools.cached_property
  def activations(self) -> tuple[str, ...]:
    """Every convolution and every pooling, first to last."""
    return sum(
        (
            (*convolutions, f'{block}_pool')
            for block, convolutions in self.blocks.items()
        ),
        (),
    )

  @functools.cached_property
  def channels(self) -> Mapping[str, int]:
    """Convolution -> its output channels."""
    return types.MappingProxyType(
        {
            name: width
            for names, width in zip(self.blocks.values(), self.widths)
            for name in names
        }
    )

  @property
  def smallest_side(self) -> int:
    """Pixels that the shorter side of an image needs: each block halves it."""
    return 2 ** len(self.depths)

  def input_of(self, layer: str) -> str | None:
    """Returns the activation that enters a layer; None if pixels do.

    'block4_pool' enters 'block5_conv1'; the last pooling, flattened, enters
    'fc1'.

    Args:
      layer: a convolution or 'fc1'.
    """
    if layer == self.convolutions[0]:
      return None
    previous = self.layers[self.layers.index(layer) - 1]
    block = previous.split('_')[0]
    is_last = previous == self.blocks[block][-1]
    return f'{block}_pool' if is_last else previous

  def backbone_shapes(self) -> Shapes:
    """Returns layer -> {'kernel': (3, 3, in, out), 'bias': (out,)}."""
    shapes, channels = {}, 3
    for name in self.convolutions:
      shapes[name] = {
          'kernel': (3, 3, channels, self.channels[name]),
          'bias': (self.channels[name],),
      }
      channels = self.channels[name]
    return shapes
