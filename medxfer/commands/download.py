"""Fetches a data set from its public repository; nothing else does.

  python -m medxfer download --dataset=ham10000 --output=DIR [--base_url=URL]

Says first what is fetched, from where, how many bytes and under which
licence. Files are verified by size and checksum before they are unpacked. An
interrupted download resumes where it stopped when the command is run again.
"""

import importlib

from absl import flags

from medxfer import files
from medxfer import launcher
from medxfer.data import registry

_SETS = registry.having('download')
_DATASET = flags.DEFINE_enum(
    'dataset', None, list(_SETS), 'Data set to fetch.', required=True
)
_OUTPUT = flags.DEFINE_string(
    'output', None, 'Folder to write; must be absent or empty.', required=True
)
_BASE_URL = flags.DEFINE_string(
    'base_url', None, "Repository to fetch from; None is the data set's."
)


def main(argv: list[str]) -> None:
  """Fetches the data set that the flags name."""
  del argv
  output = launcher.required_path(_OUTPUT)
  # Before the network is asked anything.
  files.check_free(output)
  source = importlib.import_module(_SETS[_DATASET.value].download)
  plan = source.plan(_BASE_URL.value or source.BASE_URL)
  print(plan.describe())
  source.fetch(plan, output, log=print)
