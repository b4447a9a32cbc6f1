"""Which layers are general, which specific: a study of one data set.

The arms, and how to call them: `medxfer/recipes/layers.py`.
"""

from medxfer.recipes import layers

get_config = layers.get_config
