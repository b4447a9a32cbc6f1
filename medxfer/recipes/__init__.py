"""Configurations of experiments: arms and modifiers of each data set.

`--config=configs/NAME.py:ARM` finds them from any folder.
"""
