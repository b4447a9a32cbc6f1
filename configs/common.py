"""Every key, its default and what it means: `medxfer/recipes/common.py`."""

from medxfer.recipes import common

compose = common.compose
default = common.default
