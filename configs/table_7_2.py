"""Table 7.2 of the thesis: chest X-rays, five classifiers side by side.

The arms, and how to call them: `medxfer/recipes/table_7_2.py`.
"""

from medxfer.recipes import table_7_2

get_config = table_7_2.get_config
