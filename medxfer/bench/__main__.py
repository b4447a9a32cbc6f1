"""Measures throughput beside PyTorch and Keras: same work, same machine.

    python -m tools.bench [--against=torch,keras] [--mode=train_all,...]
        [--image_size=224] [--batch_size=8] [--precision=bfloat16]
        [--output=FILE.json]

Every framework gets the same weights, pixels, optimizer and threads, and a
process of its own; all are warm before the first round, and in each round
every one takes its turn. What is told is the median of the rounds, and how
much faster medxfer was in them: median, lowest and highest; and the fraction of
what plain matrix products of as many operations would come to. Frameworks that
are not installed (`pip install medxfer[bench]`) are said and left out.
"""

import contextlib
import os
import pathlib
import platform
import sys
import tempfile

from absl import flags

from medxfer import errors
from medxfer import files
from medxfer import launcher
from medxfer.bench import folder
from medxfer.bench import process
from medxfer.bench import setting as settings
from medxfer.bench import subject
from medxfer.bench import table

_OURS = 'medxfer'
_PEERS = tuple(name for name in subject.FRAMEWORKS if name != _OURS)

_AGAINST = flags.DEFINE_list(
    'against',
    ['torch', 'keras'],
    f'Frameworks, or families of them: {", ".join(_PEERS)}.',
)
_MODE = flags.DEFINE_list(
    'mode',
    [m for m in settings.MODES if m != 'epoch'],
    f'What to measure: {", ".join(settings.MODES)}.',
)
_IMAGE_SIZE = flags.DEFINE_integer(
    'image_size', 224, 'Side of the images, pixels.', lower_bound=32
)
_BATCH_SIZE = flags.DEFINE_integer(
    'batch_size', 8, 'Images a step.', lower_bound=1
)
_PRECISION = flags.DEFINE_enum(
    'precision', 'float32', list(settings.PRECISIONS), 'Of the computation.'
)
_THREADS = flags.DEFINE_integer(
    'threads', os.cpu_count(), 'CPU threads of each framework.', lower_bound=1
)
_REPEATS = flags.DEFINE_integer('repeats', 5, 'Rounds.', lower_bound=1)
_SECONDS = flags.DEFINE_float(
    'seconds', 5.0, 'How long one turn should take.', lower_bound=0.0
)
_IMAGES = flags.DEFINE_integer(
    'images', 256, 'Files of the mode `epoch`.', lower_bound=1
)
_OUTPUT = flags.DEFINE_string('output', None, 'JSON file of the results.')


def main(argv: list[str]) -> None:
  """Measures, prints, writes."""
  launcher.require(argv)
  _refuse_unknown('mode', _MODE.value, settings.MODES)
  peers = _peers(_AGAINST.value)
  target = launcher.path(_OUTPUT)
  if target:
    files.check_target(target, overwrite=True)
  results, rate = {'machine': _machine(), 'modes': {}}, None
  with tempfile.TemporaryDirectory() as images:
    if 'epoch' in _MODE.value:
      folder.write(pathlib.Path(images), _IMAGES.value)
    for mode in _MODE.value:
      setting = settings.Setting(
          mode=mode,
          image_size=_IMAGE_SIZE.value,
          batch_size=_BATCH_SIZE.value,
          precision=_PRECISION.value,
          threads=_THREADS.value or 1,
          folder=images,
      )
      rate = rate or _products(setting)
      rows, notes = _measure(setting, peers, rate)
      print(table.text(mode, rows, notes), flush=True)
      results['modes'][mode] = {
          'setting': setting.to_json() | {'folder': ''},
          'rows': rows,
          'notes': notes,
      }
      if target:
        files.write_json(target, results)


def _measure(
    setting: settings.Setting, peers: list[str], rate: float
) -> tuple[list[dict[str, object]], list[str]]:
  """Returns a row for each framework, and why others have none."""
  notes = []
  with contextlib.ExitStack() as stack:
    subjects = []
    for framework in (_OURS, *peers):
      try:
        subjects.append(
            stack.enter_context(process.Subject(framework, setting))
        )
      except process.Failure as failure:
        if framework == _OURS:
          raise errors.DataError(f'medxfer, {setting.mode}: {failure}')
        notes.append(f'{framework} left out: {failure}')
    notes += _disagreements(subjects, settings.PRECISIONS[setting.precision])
    steps = {s: _steps(s, setting) for s in subjects}
    rounds = [
        {s: s.repeat(steps[s]) for s in subjects} for _ in range(_REPEATS.value)
    ]
  images = (
      _IMAGES.value * settings.EPOCHS
      if setting.mode == 'epoch'
      else setting.batch_size
  )
  operations = subjects[0].about['operations'] / setting.batch_size
  share = setting.mode in ('forward', 'train_all', 'train_first')

  def an_image(s: process.Subject) -> list[float]:
    return [r[s]['seconds'] / steps[s] / images for r in rounds]

  return [
      table.row(
          s.framework,
          s.about['version'],
          an_image(s),
          an_image(subjects[0]),
          rounds[-1][s]['peak_mib'],
          rate / operations if share else None,
      )
      for s in subjects
  ], notes


def _products(setting: settings.Setting) -> float:
  """Returns operations a second of plain matrix products."""
  try:
    with process.Subject(subject.PRODUCTS, setting) as products:
      steps = _steps(products, setting)
      seconds = min(products.repeat(steps)['seconds'] for _ in range(3))
      rate = products.about['operations'] * steps / seconds
  except process.Failure as failure:
    raise errors.DataError(f'matrix products: {failure}') from failure
  print(
      f'matrix products, {setting.precision}: {rate / 1e9:,.0f} GFLOP/s',
      flush=True,
  )
  return rate


def _peers(names: list[str]) -> list[str]:
  """Returns the frameworks that are named, or belong to a named family."""
  families = {peer.split('-')[0] for peer in _PEERS}
  _refuse_unknown('against', names, sorted({*_PEERS, *families}))
  return [
      peer for peer in _PEERS if peer in names or peer.split('-')[0] in names
  ]


def _steps(subject_: process.Subject, setting: settings.Setting) -> int:
  """Returns how many steps fill a turn."""
  if setting.mode == 'epoch':
    return 1
  return max(1, round(_SECONDS.value / subject_.repeat(1)['seconds']))


def _disagreements(
    subjects: list[process.Subject], allowed: float
) -> list[str]:
  """Returns who computes another first loss: it does not do the same work."""
  ours = subjects[0].about['loss']
  return [
      f'{s.framework} computes another loss: {s.about["loss"]:.6f}, '
      f'medxfer {ours:.6f}'
      for s in subjects
      if abs(s.about['loss'] - ours) > allowed * abs(ours)
  ]


def _machine() -> dict[str, object]:
  return {
      'platform': platform.platform(),
      'cpus': os.cpu_count(),
      'python': platform.python_version(),
  }


def _refuse_unknown(flag: str, given: list[str], known) -> None:
  for name in given:
    if name not in known:
      raise errors.UsageError(
          f'--{flag}={name}: give one or more of {", ".join(known)}'
      )


if __name__ == '__main__':
  launcher.run(sys.modules[__name__])
