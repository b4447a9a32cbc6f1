"""Which layers to fine-tune for these images, within a budget of time.

The arms, and how to call them: `medxfer/recipes/advice.py`.
"""

from medxfer.recipes import advice

get_config = advice.get_config
