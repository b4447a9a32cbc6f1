"""Evaluation: from a predictions table to numbers with intervals."""
