"""Finished workdirs, read into tables of values."""
