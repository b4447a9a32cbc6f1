"""Runs that are killed at a chosen moment, and what must not depend on it.

A moment is a second, or a change of the file system: the process counts its
own, as Python announces them to audit hooks, and kills itself before the one
it was told. Orbax and TensorStore write their arrays in C++ and announce
nothing: seconds come upon these.
"""

from collections.abc import Mapping
import dataclasses
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
from typing import Any

from medxfer.training import checkpoints

_ROOT = pathlib.Path(__file__).parents[2]
# Runs medxfer.main; $MEDXFER_TEST_MOMENT names the change to die before.
_WATCHED = """
import os, re, runpy, signal, sys
folders, wanted = sys.argv.pop(1).split(':'), os.environ['MEDXFER_TEST_MOMENT']
seen = {}
def watch(event, args):
  if event == 'open':
    if not isinstance(args[1], str) or not set(args[1]) & set('wax+'):
      if not isinstance(args[2], int) or not args[2] & (os.O_WRONLY|os.O_RDWR):
        return
  elif event not in ('os.rename', 'os.remove', 'os.mkdir', 'os.rmdir',
                     'shutil.rmtree'):
    return
  path = args[1] if event == 'os.rename' else args[0]
  try:
    path = os.fsdecode(path)
  except TypeError:
    return
  inside = [f for f in folders if path.startswith(f)]
  if inside:
    name = re.sub(r'[0-9a-f]{16,}', '#', path[len(inside[0]):])
    name = event + ' ' + re.sub(r'[.][0-9]+[.]tmp', '.#.tmp', name)
    seen[name] = seen.get(name, 0) + 1
    moment = f'{name} {seen[name]}'
    if wanted == 'tell':
      print('MOMENT', moment, file=sys.__stderr__, flush=True)
    elif moment == wanted:
      os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
runpy.run_module('medxfer.main', run_name='__main__', alter_sys=True)
"""


@dataclasses.dataclass(frozen=True)
class Place:
  """Where a run works.

  Attributes:
    data: its phantoms.
    folder: holds the workdir and the cache.
    arm: that it trains, with modifiers.
  """

  data: pathlib.Path
  folder: pathlib.Path
  arm: str = 'last_block,phantom,tiny'

  @property
  def workdir(self) -> pathlib.Path:
    """What --workdir names."""
    return self.folder / 'run'

  @property
  def cache(self) -> pathlib.Path:
    """What --config.cache_dir names."""
    return self.folder / 'cache'


def start(place: Place, moment: str = '', **keys: Any) -> subprocess.Popen:
  """Starts a run of four epochs, or resumes it.

  Args:
    place: where.
    moment: the change of the file system to die before; 'tell' prints all of
      them, '' watches none.
    **keys: of the configuration, with __ for a dot.
  """
  settings = {
      'data.dir': place.data,
      'data.phantom': 0,
      'data.image_size': '32,32',
      'model.init_from': 'random',
      'model.head_units': '16,16',
      'optimizer.name': 'adamw',
      'optimizer.schedule': 'cosine',
      'optimizer.learning_rate': 3e-3,
      # Images without versions: their prefix is kept on disk.
      'augment.horizontal_flip': False,
      'augment.vertical_flip': False,
      'augment.quarter_turns': False,
      'augment.zoom': 0,
      'augment.brightness': 0,
      'training.batch_size': 4,
      'training.epochs': 4,
      'training.patience': 0,
      'evaluation.resamples': 20,
      'cache_dir': place.cache,
      **{key.replace('__', '.'): value for key, value in keys.items()},
  }
  words = [
      f'--workdir={place.workdir}',
      f'--config=configs/ham.py:{place.arm}',
      *(f'--config.{key}={value}' for key, value in settings.items()),
  ]
  environment = {
      name: value
      for name, value in os.environ.items()
      if not name.startswith('JAX_')
  }
  command = [sys.executable, '-m', 'medxfer.main', *words]
  if moment:
    environment['MEDXFER_TEST_MOMENT'] = moment
    command = [
        sys.executable,
        '-c',
        _WATCHED,
        f'{place.workdir}:{place.cache}',
        *words,
    ]
  return subprocess.Popen(
      command,
      cwd=_ROOT,
      env=environment,
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
  )


def finish(process: subprocess.Popen) -> str:
  """Waits for a run that must end well; returns what it said."""
  out, err = process.communicate(timeout=600)
  assert process.returncode == 0, err
  # A log holds the run's own lines: none of TensorFlow's or XLA's.
  assert err == ''
  return out


def moments(place: Place) -> list[str]:
  """Runs once, and returns the changes of the file system, in order."""
  _, err = start(place, 'tell').communicate(timeout=600)
  return [
      line.removeprefix('MOMENT ')
      for line in err.splitlines()
      if line.startswith('MOMENT ')
  ]


def kill(place: Place, moment: str | float) -> None:
  """Starts a run that does not live to see its end, if the moment comes."""
  if isinstance(moment, str):
    start(place, moment).communicate(timeout=600)
    return
  process = start(place)
  time.sleep(moment)
  process.send_signal(signal.SIGKILL)
  process.communicate()


def saved(place: Place) -> int:
  """Returns the newest epoch that is saved; 0 before the first."""
  folder = place.workdir / checkpoints.FOLDER
  return max(
      (
          int(path.name)
          for path in folder.glob('[0-9]*')
          if path.name.isdecimal()
      ),
      default=0,
  )


def results(place: Place) -> Mapping[str, object]:
  """Returns everything that must not depend on interruptions."""
  workdir = place.workdir
  history = [
      {
          k: v
          for k, v in json.loads(line).items()
          if 'seconds' not in k and k != 'images_per_second'
      }
      for line in (workdir / 'metrics.jsonl').read_text().splitlines()
  ]
  summary = json.loads((workdir / 'summary.json').read_text())
  for key in ('train_seconds', 'images_per_second'):
    del summary[key]
  return {
      'history': history,
      'summary': summary,
      'tables': [
          (workdir / f'predictions_{subset}.csv').read_bytes()
          for subset in ('val', 'test')
      ],
      'tensors': dict(checkpoints.export(workdir).contract.tensors),
      'files': {
          re.sub('[0-9a-f]{16,}', '#', str(path.relative_to(place.folder)))
          for path in place.folder.rglob('*')
          # What Orbax and JAX name their files is their own affair.
          if not {'checkpoints', 'compiled'} & set(path.parts)
      },
      'left': [path for path in place.folder.rglob('*') if 'tmp' in path.name],
  }
