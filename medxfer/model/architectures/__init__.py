"""Architectures by name. A new one is a file here and a line below."""

from collections.abc import Mapping
import types

from medxfer.model.architectures import tiny
from medxfer.model.architectures import vgg16
from medxfer.model.architectures import vgg19
from medxfer.model.architectures.architecture import Architecture
from medxfer.model.architectures.architecture import Pretrained

BY_NAME: Mapping[str, Architecture] = types.MappingProxyType(
    {
        known.name: known
        for known in (vgg16.ARCHITECTURE, vgg19.ARCHITECTURE, tiny.ARCHITECTURE)
    }
)

__all__ = ['Architecture', 'BY_NAME', 'Pretrained']
