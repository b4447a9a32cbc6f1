"""Comparisons and choices between the runs of a report."""
