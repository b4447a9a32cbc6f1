"""The layers of VGG-16 by Keras' names: declared here and nowhere else.

Free of JAX, so that a launcher can refuse an unknown layer at once and the
weights room can compare shapes without building a network.
"""

from collections.abc import Mapping
import types

_BLOCK_WIDTHS = (
    ('block1', 2, 64),
    ('block2', 2, 128),
    ('block3', 3, 256),
    ('block4', 3, 512),
    ('block5', 3, 512),
)

# Block -> its convolutions, first to last.
BLOCKS: Mapping[str, tuple[str, ...]] = types.MappingProxyType({
    block: tuple(f'{block}_conv{i + 1}' for i in range(depth))
    for block, depth, _ in _BLOCK_WIDTHS
})
CONVOLUTIONS: tuple[str, ...] = sum(BLOCKS.values(), ())
HEAD: tuple[str, ...] = ('fc1', 'fc2', 'predictions')
LAYERS: tuple[str, ...] = CONVOLUTIONS + HEAD
# What can be looked at: every convolution and pooling, first to last.
ACTIVATIONS: tuple[str, ...] = sum(
    ((*convolutions, f'{block}_pool')
     for block, convolutions in BLOCKS.items()), ())
# Convolution -> its output channels.
WIDTHS: Mapping[str, int] = types.MappingProxyType({
    name: width for block, _, width in _BLOCK_WIDTHS for name in BLOCKS[block]
})


def before(name: str) -> str | None:
  """Returns the activation that enters a layer; None if pixels do.

  Poolings are activations too: 'block4_pool' enters 'block5_conv1', and
  'block5_pool', flattened, enters 'fc1'.

  Args:
    name: a convolution or 'fc1'.
  """
  if name == CONVOLUTIONS[0]:
    return None
  previous = LAYERS[LAYERS.index(name) - 1]
  block = previous.split('_')[0]
  return f'{block}_pool' if previous == BLOCKS[block][-1] else previous


def backbone_shapes() -> dict[str, dict[str, tuple[int, ...]]]:
  """Returns layer -> {'kernel': (3, 3, in, out), 'bias': (out,)}."""
  shapes, channels = {}, 3
  for name in CONVOLUTIONS:
    shapes[name] = {
        'kernel': (3, 3, channels, WIDTHS[name]),
        'bias': (WIDTHS[name],),
    }
    channels = WIDTHS[name]
  return shapes
