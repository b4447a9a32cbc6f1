"""Takes guards away, one by one, and sees whether a test misses them.

    python -m tests.hostile.guards [NAME...]

Works on a copy. A guard that no test misses may be lost unnoticed: exits 1.
"""

import dataclasses
import pathlib
import shutil
import subprocess
import sys
import tempfile

_ROOT = pathlib.Path(__file__).parents[2]


@dataclasses.dataclass(frozen=True)
class Guard:
  """A line that protects, and the test that shows it.

  Attributes:
    file: where it stands.
    line: the text.
    instead: what stands there when it is taken away.
    test: what must fail then, as pytest names it.
  """

  file: str
  line: str
  instead: str
  test: str


GUARDS = {
    'checksums of arrays': Guard(
        'medxfer/training/checkpoint_io.py',
        'if announced.get(name) != found.get(name):',
        'if False:',
        'tests/training/checkpoints_test.py -k flip',
    ),
    'checksum of the record': Guard(
        'medxfer/training/checkpoint_io.py',
        'if record.pop(_SHA256, None) != _digest_of_json(record):',
        'if not record.pop(_SHA256, None):',
        'tests/training/checkpoints_test.py -k changed_record',
    ),
    'soundness of the best epoch': Guard(
        'medxfer/training/checkpoints.py',
        'if found.best and place != (found.best, 0):',
        'if False:',
        'tests/training/checkpoints_test.py -k damaged_best',
    ),
    'room for a checkpoint': Guard(
        'medxfer/training/checkpoint_io.py',
        'if free < needed:',
        'if False:',
        'tests/runs/disk_test.py',
    ),
    'numbers that are not finite': Guard(
        'medxfer/training/epoch_steps.py',
        'if not math.isfinite(values[n][i])]',
        'if False]',
        'tests/training/stepping_test.py',
    ),
    'what a run began with': Guard(
        'medxfer/runs/inputs.py',
        "'labels_digest': _digest(",
        "'labels_digest': str(",
        'tests/runs/refusals_test.py -k table',
    ),
    'the lock of a workdir': Guard(
        'medxfer/runs/workdir.py',
        'fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)',
        'pass',
        'tests/runs/run_test.py -k use',
    ),
    'the clock of a stop': Guard(
        'medxfer/stopping.py',
        '  os._exit(_status(number))\n\n\ndef _status',
        '  return\n\n\ndef _status',
        'tests/stopping_test.py -k ended',
    ),
    'steps that are not torn apart': Guard(
        'medxfer/stopping.py',
        'if not self.is_held:',
        'if True:',
        'tests/stopping_test.py -k torn',
    ),
    'a run that ends with its study': Guard(
        'medxfer/study/child_process.py',
        'os.kill(os.getpid(), signal.SIGTERM)',
        'pass',
        'tests/study/child_test.py -k ends_with',
    ),
    'checksums of caches': Guard(
        'medxfer/cache.py',
        'if _checksum(array) != crc:',
        'if False:',
        'tests/cache_test.py -k damaged',
    ),
    'files that change while they are read': Guard(
        'medxfer/data/file_digests.py',
        'if digest and digest != hashlib.sha256(content).digest():',
        'if False:',
        'tests/data/pixels_test.py -k changes_before',
    ),
    'pixels by the content of files': Guard(
        'medxfer/data/pixel_cache.py',
        "hashlib.sha256(b''.join(contents)).hexdigest(),",
        "'',",
        'tests/data/pixels_test.py -k two_exports',
    ),
    'what a killed process left': Guard(
        'medxfer/training/checkpoints.py',
        'files.sweep(self._path)',
        'pass',
        'tests/training/checkpoints_test.py -k killed',
    ),
    'a disk that is read-only': Guard(
        'medxfer/training/checkpoints.py',
        'with contextlib.suppress(OSError):',
        'if True:',
        'tests/runs/disk_test.py -k read_only',
    ),
    'a lost process, which is no damage': Guard(
        'medxfer/training/checkpoint_io.py',
        'raise  # It is no damage to go back from.',
        'pass',
        'tests/training/checkpoints_test.py -k lost_process',
    ),
    'errors of decompressors': Guard(
        'medxfer/containers.py',
        '(*_ZIP_DAMAGE, OSError)',
        'OSError',
        'tests/containers_test.py -k damage_to_a_zip',
    ),
    'external links of HDF5': Guard(
        'medxfer/model/weights/hdf5.py',
        'if not isinstance(link, h5py.HardLink):',
        'if False:',
        'tests/model/weights_files_test.py -k bad_hdf5',
    ),
    'paths out of an archive': Guard(
        'medxfer/data/archives.py',
        "'..' in name.split('/')",
        'False',
        'tests/data/download_test.py -k outside',
    ),
    'bombs': Guard(
        'medxfer/data/images.py',
        'if width * height > MAX_PIXELS:',
        'if False:',
        'tests/data/images_test.py -k bombs',
    ),
}


def is_missed(guard: Guard) -> bool:
  """Returns whether the guard's test fails without the guard."""
  with tempfile.TemporaryDirectory() as folder:
    copy = pathlib.Path(folder)
    for name in ('medxfer', 'configs', 'tools', 'tests'):
      shutil.copytree(_ROOT / name, copy / name)
    shutil.copy(_ROOT / 'setup.cfg', copy)
    path = copy / guard.file
    text = path.read_text()
    if text.count(guard.line) != 1:
      raise SystemExit(f'{guard.file}: no single {guard.line!r}')
    path.write_text(text.replace(guard.line, guard.instead))
    done = subprocess.run(
        [
            sys.executable,
            '-m',
            'pytest',
            '-q',
            '-x',
            '-n',
            '0',
            *guard.test.split(),
        ],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
  # 1 is a failed test; anything else, that none was run.
  if done.returncode not in (0, 1):
    raise SystemExit(done.stdout + done.stderr)
  return done.returncode == 1


def main() -> None:
  """Prints a line a guard."""
  lost = False
  for name in sys.argv[1:] or GUARDS:
    missed = is_missed(GUARDS[name])
    lost |= not missed
    print(
        f'{"missed" if missed else "NOT MISSED":10}  {name}: '
        f'{GUARDS[name].test}',
        flush=True,
    )
  sys.exit(lost)


if __name__ == '__main__':
  main()
