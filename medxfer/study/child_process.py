"""A run in a process of its own.

A run which fills the memory or crashes then ends alone, and a GPU is empty
when the next one starts. It is stopped with its study, and saves what it has.
"""

import multiprocessing
from multiprocessing import connection
import os
import pathlib
import signal
import sys
import threading

from medxfer import errors
from medxfer import flag_names
from medxfer import spec as specs
from medxfer import startup
from medxfer import stopping

OUT_OF_TIME = 'stopped at the end of its time; it goes on where it was'


def run(
    spec: specs.RunSpec, path: pathlib.Path, seconds: float | None = None
) -> str:
  """Runs a specification in a workdir; returns why it failed, or ''.

  Args:
    spec: of the run.
    path: its workdir.
    seconds: after which it is stopped, with what it has saved, and the answer
      is `OUT_OF_TIME`; None for never.

  Raises:
    Interrupted: somebody stopped this process; the other has ended.
  """
  # Spawned, because a forked process inherits locks of TensorFlow's threads.
  context = multiprocessing.get_context('spawn')
  receiving, sending = context.Pipe(duplex=False)
  process = context.Process(
      target=_work, args=(spec, path, sending, flag_names.current())
  )
  process.start()
  sending.close()
  try:
    with receiving:
      if not receiving.poll(seconds):
        process.terminate()
        process.join()
        return OUT_OF_TIME
      return receiving.recv_bytes().decode()
  except EOFError:
    process.join()
    return _why(process.exitcode or 0)
  except KeyboardInterrupt:
    process.terminate()
    raise
  finally:
    process.join()


def _work(
    spec: specs.RunSpec,
    path: pathlib.Path,
    sending: connection.Connection,
    names: flag_names.Names,
) -> None:
  """What that process does."""
  startup.prepare()
  flag_names.use(names)
  stopping.install()
  threading.Thread(target=_end_with_parent, daemon=True).start()
  problem = ''
  try:
    from medxfer.runs import run as runs

    # Of forty runs, what each needs to be asked for more epochs fills a disk.
    runs.run(spec, path, keep_last=False)
  except errors.MedxferError as error:
    problem = str(error)
  except OSError as error:
    problem = f'{error.filename or path}: {error.strerror or error}'
  except (AssertionError, RuntimeError, ValueError) as error:
    explained = startup.explained(error)
    if explained is None:
      raise
    problem = str(explained)
  except stopping.Interrupted as error:
    sys.stdout.flush()
    os._exit(error.exit_status)
  sending.send_bytes(problem.encode())


def _end_with_parent() -> None:
  parent = multiprocessing.parent_process()
  if parent:
    parent.join()
  os.kill(os.getpid(), signal.SIGTERM)


def _why(exitcode: int) -> str:
  if exitcode == 1:
    return 'an error of medxfer itself, told above'
  how = 'stopped' if exitcode > 0 else 'killed, perhaps for want of memory'
  return f'its process was {how}; the same command goes on where it was'
