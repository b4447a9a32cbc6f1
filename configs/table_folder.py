"""Images of your own, seven classifiers side by side, as in table 7.1.

The arms, and how to call them: `medxfer/recipes/table_folder.py`.
"""

from medxfer.recipes import table_folder

get_config = table_folder.get_config
