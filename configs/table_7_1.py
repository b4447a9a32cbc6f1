"""Table 7.1 of the thesis: HAM10000, seven classifiers side by side.

The arms, and how to call them: `medxfer/recipes/table_7_1.py`.
"""

from medxfer.recipes import table_7_1

get_config = table_7_1.get_config
