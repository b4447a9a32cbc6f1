"""HAM10000: seven kinds of skin lesion, fine-tuned block by block.

The arms, and how to call them: `medxfer/recipes/ham.py`.
"""

from medxfer.recipes import ham

get_config = ham.get_config
