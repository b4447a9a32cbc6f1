"""A network for tests: the interface of VGG-16, compiled in a moment."""

from medxfer.model.architectures import architecture

ARCHITECTURE = architecture.Architecture(
    name='tiny', title='Tiny VGG', depths=(1, 2), widths=(8, 8)
)
