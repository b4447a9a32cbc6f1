"""Experiments, `FILE:ARM[,MODIFIER...]`; see `medxfer/recipes/`."""
