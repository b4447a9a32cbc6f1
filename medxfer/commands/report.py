"""Makes tables, figures and one HTML page from finished runs.

    python -m medxfer report [--workdir=DIR] [--output=DIR]

DIR is a workdir, the folder of a study, or any folder above some, runs/ if it
is left out; only files in it are read. Runs that are not finished or damaged
are left out, by name.
The page is OUTPUT/index.html: one file that opens without a network.
"""

from absl import flags

from medxfer import default_workdir
from medxfer import launcher

_WORKDIR = flags.DEFINE_string(
    'workdir',
    None,
    'Folder of a run, of a study, or above some; runs/ if left out.',
)
_OUTPUT = flags.DEFINE_string(
    'output',
    None,
    'Folder to write; DIR/report if left out. An older report '
    'in it is replaced.',
)


def main(argv: list[str]) -> None:
  """Reads the flags, then writes the report."""
  launcher.require(argv, *([] if default_workdir.RUNS.is_dir() else [_WORKDIR]))
  # Matplotlib takes seconds to load: refuse first, load then.
  from medxfer.report.page import write

  output = launcher.path(_OUTPUT)
  page, collection = write.report(
      launcher.path(_WORKDIR) or default_workdir.RUNS, output
  )
  for item in collection.left_out:
    print(f'left out {item.name}: {item.reason}')
  count = collection.count
  print(f'{count} {"run" if count == 1 else "runs"} in {page}')
