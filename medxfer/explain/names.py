"""The activations that can be looked at; free of JAX, for the launchers."""

from medxfer.model import layers

# Every convolution and every pooling, in the order of the network.
ACTIVATIONS: tuple[str, ...] = sum(
    ((*convolutions, f'{block}_pool')
     for block, convolutions in layers.BLOCKS.items()), ())
