"""Plain lines for a person or a log; numbers for machines go to files."""

import sys

from medxfer import flag_names


def line(text: str) -> None:
  """Prints a line at once, so that a log can be followed."""
  print(flag_names.here(text), flush=True)


def note(text: str) -> None:
  """Prints a line beside what a command prints for other programs."""
  print(f'note: {flag_names.here(text)}', file=sys.stderr, flush=True)
