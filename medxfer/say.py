"""Plain lines for a person or a log; numbers for machines go to files."""


def line(text: str) -> None:
  """Prints a line at once, so that a log can be followed."""
  print(text, flush=True)
