"""Images of your own: one folder per class, fine-tuned block by block.

The arms, and how to call them: `medxfer/recipes/folder.py`.
"""

from medxfer.recipes import folder

get_config = folder.get_config
