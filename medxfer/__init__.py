"""medxfer: what a pretrained network brings to medical images."""

__version__ = '0.1.0'
