"""A subject in its own process, asked over pipes.

Frameworks share neither threads nor memory this way, a crash of one leaves
the others at work, and the largest memory of a process is that of one mode.
"""

import json
import os
import subprocess
import sys

from medxfer.bench import setting as settings


class Failure(Exception):
  """A subject cannot do what it is asked; says why."""


class Subject:
  """A framework at work on one setting; a context manager."""

  def __init__(self, framework: str, setting: settings.Setting):
    """Starts the process and waits until it is warm.

    Raises:
      Failure: the framework is missing, refuses, or dies.
    """
    self.framework = framework
    self._process = subprocess.Popen(
        [sys.executable, '-m', 'medxfer.bench.subject', framework],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | _threads(framework, setting.threads),
    )
    self.about = self._ask(json.dumps(setting.to_json()))

  def __enter__(self) -> 'Subject':
    return self

  def __exit__(self, *_: object) -> None:
    self._process.kill()
    self._process.communicate()

  def repeat(self, steps: int) -> dict[str, float]:
    """Returns `seconds` of so many steps and `peak_mib`, memory so far."""
    return self._ask(str(steps))

  def _ask(self, line: str) -> dict:
    try:
      print(line, file=self._process.stdin, flush=True)
      assert self._process.stdout  # A pipe, see `__init__`.
      answer = self._process.stdout.readline()
    except BrokenPipeError:
      answer = ''
    if not answer:
      status = self._process.wait()
      raise Failure(
          f'its process ended with status {status}'
          + (', killed (memory?)' if status == -9 else '')
      )
    answer = json.loads(answer)
    if 'error' in answer:
      raise Failure(answer['error'])
    return answer


def _threads(framework: str, threads: int) -> dict[str, str]:
  """Returns the environment that holds a framework to so many threads."""
  many = str(threads)
  shared = {
      'OMP_NUM_THREADS': many,
      'MKL_NUM_THREADS': many,
      'OPENBLAS_NUM_THREADS': many,
      'TF_CPP_MIN_LOG_LEVEL': '3',
  }
  if framework.startswith('keras'):
    shared |= {
        'KERAS_BACKEND': framework.removeprefix('keras-'),
        'TF_NUM_INTRAOP_THREADS': many,
    }
  return shared
