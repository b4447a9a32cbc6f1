"""Fetches a data set from its public repository; nothing else does.

  python -m medxfer download --dataset=ham10000 --output=DIR \
      [--base_url=https://dataverse.harvard.edu]

Says first what is fetched, from where, how many bytes and under which
licence. Files are verified by size and checksum before they are unpacked. An
interrupted download goes on where it stopped when the command is run again.
"""

from absl import flags

from medxfer import files
from medxfer import launcher
from medxfer.data import download

_DATASET = flags.DEFINE_enum(
    'dataset', None, ['ham10000'], 'Data set to fetch.', required=True
)
_OUTPUT = flags.DEFINE_string(
    'output', None, 'Folder to write; must be absent or empty.', required=True
)
_BASE_URL = flags.DEFINE_string(
    'base_url', download.BASE_URL, 'Repository to fetch from.'
)

_SETS = {
    'ham10000': (download.plan_ham10000, download.download_ham10000),
}


def main(argv: list[str]) -> None:
  """Fetches the data set that the flags name."""
  del argv
  output = launcher.path(_OUTPUT)
  # Before the network is asked anything.
  files.check_free(output)
  plan_of, fetch = _SETS[_DATASET.value]
  plan = plan_of(_BASE_URL.value)
  print(plan.describe())
  fetch(plan, output, log=print)
