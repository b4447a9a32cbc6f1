"""Experiments: one file a data set, `FILE:ARM[,MODIFIER...]`."""
