"""The figures of a report, each with its data and a description."""
