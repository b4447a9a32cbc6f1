"""Chest X-rays: normal or pneumonia, from three starts.

The arms, and how to call them: `medxfer/recipes/xray.py`.
"""

from medxfer.recipes import xray

get_config = xray.get_config
