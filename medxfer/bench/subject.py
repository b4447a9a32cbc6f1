"""A framework at work, in a process of its own.

    python -m medxfer.bench.subject FRAMEWORK

One line of JSON comes in, the setting; one goes out when everything is
loaded, compiled and warm; then each line, a number of steps, is answered by
one of seconds, until the input ends.
"""

import importlib
import json
import resource
import sys
import time
from typing import Any

from medxfer import startup
from medxfer.bench import setting as settings
from medxfer.bench import work as works

# Framework -> module and what its `prepare` is told.
FRAMEWORKS = {
    'medxfer': ('medxfer.bench.ours', {}),
    'torch': ('medxfer.bench.torch_peer', {'compiled': False}),
    'torch-compile': ('medxfer.bench.torch_peer', {'compiled': True}),
    'keras-tensorflow': ('medxfer.bench.keras_peer', {'backend': 'tensorflow'}),
    'keras-jax': ('medxfer.bench.keras_peer', {'backend': 'jax'}),
}
# What the rates of all of them are measured by.
PRODUCTS = 'matrix-products'
_SUBJECTS = FRAMEWORKS | {PRODUCTS: ('medxfer.bench.flops', {})}


def main(framework: str) -> None:
  """Serves the lines of standard input."""
  module, told = _SUBJECTS[framework]
  # Frameworks print what they please; answers have a channel of their own.
  answers, sys.stdout = sys.stdout, sys.stderr
  setting = settings.Setting(**json.loads(sys.stdin.readline()))
  try:
    work: works.Work = importlib.import_module(module).prepare(setting, **told)
    work.repeat(1)
  except Exception as error:
    # Out of memory, no compiler, a missing package: the table says which.
    told = startup.explained(error) or f'{type(error).__name__}: {error}'
    _answer(answers, error=f'{told}'[:300])
    return
  _answer(
      answers, version=work.version, loss=work.loss, operations=work.operations
  )
  for line in sys.stdin:
    started = time.perf_counter()
    work.repeat(int(line))
    _answer(
        answers, seconds=time.perf_counter() - started, peak_mib=_peak_mib(work)
    )


def _peak_mib(work: works.Work) -> float:
  """Returns the largest memory so far: the device's, or the process'."""
  if work.peak_bytes is not None:
    return work.peak_bytes() / 2**20
  return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def _answer(channel: Any, **values: Any) -> None:
  print(json.dumps(values), file=channel, flush=True)


if __name__ == '__main__':
  main(sys.argv[1])
