"""Figures of a report, each with its data and in words."""
