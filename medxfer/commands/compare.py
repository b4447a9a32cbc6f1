"""Compares two runs on the test images that they share.

    python -m medxfer compare RUN_A RUN_B [--output=JSON]

The differences of accuracy and macro F1, each with its interval and p-value,
by lesion or patient.
"""

from absl import flags

from medxfer import errors
from medxfer import files
from medxfer import launcher

_OUTPUT = flags.DEFINE_string(
    'output', None, 'JSON file to write as well as to print.'
)
_RESAMPLES = flags.DEFINE_integer(
    'resamples',
    1000,
    'Ways to swap the two that are tried at most.',
    lower_bound=1,
)
# Key of a run -> this command's flag for it; see `launcher.run`.
CALLS = {'workdir': 'workdir'}


def main(argv: list[str]) -> None:
  """Reads the flags, then compares."""
  if len(argv) != 2:
    raise errors.UsageError('name two workdirs (see --help)')
  output = launcher.path(_OUTPUT)
  if output:
    files.check_target(output, overwrite=True)

  from medxfer import api
  from medxfer.evaluation import paired

  compared = api.compare(*launcher.paths(argv), resamples=_RESAMPLES.value)
  print(paired.table(compared, *argv))
  if output:
    files.write_json(output, {'a': argv[0], 'b': argv[1], **compared})
