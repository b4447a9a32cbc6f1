"""Protects the resume: a run that is killed ends as if it had not been.

The quick form kills at a few moments. The long form at as many as it is told,
half of them changes of the file system, half of them seconds:

    MEDXFER_KILLS=60 python -m pytest tests/runs/kill_test.py
"""

import dataclasses
import os
import pathlib
import random
import re
import shutil
from typing import Any

import pytest

from tests.runs import killing

_KILLS = int(os.environ.get('MEDXFER_KILLS', '0'))
# The middle of everything that is written, as patterns of moments: what every
# run of the tests tries, and what the long form adds.
_QUICK = {
    'prefix': r'open /prefix-#/activations 2',
    'checkpoint': r'os.rename /checkpoints/2\.orbax.*/params ',
    'retention': r'shutil.rmtree /checkpoints/\.#\.tmp',
    'summary': r'os.rename /summary\.json',
}
_MORE = {
    'pixels': r'os.rename /pixels-#\.npy',
    'their checksum': r'os.rename /pixels-#\.json',
    'journal of the prefix': r'os.rename /prefix-#/journal',
    'history': r'os.rename /metrics\.jsonl 3',
    'predictions': r'os.rename /predictions_test\.csv',
    'tidying': r'\S+ /checkpoints/\d/(optimizer|params)',
    'last state': r'os.rename /checkpoints/\d/since_\d\.npz',
}
_MIDDLES = _QUICK | (_MORE if _KILLS else {})


@pytest.fixture(scope='module')
def quiet(
    phantoms: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> Any:
  """A run that nobody disturbed, and the moments of another."""
  return _undisturbed(killing.Place(phantoms, tmp_path_factory.mktemp('quiet')))


def _undisturbed(place: Any) -> Any:
  return place, killing.moments(place), killing.results(place)


def _assert_goes_on(quiet: Any, folder: Any, moment: Any) -> None:
  """Kills a run, lets it end, and compares."""
  undisturbed, _, expected = quiet
  place = dataclasses.replace(undisturbed, folder=folder)
  # Compiled programs, which take most of the time of a start.
  shutil.copytree(undisturbed.cache / 'compiled', place.cache / 'compiled')
  killing.kill(place, moment)
  epoch, was_finished = (
      killing.saved(place),
      (place.workdir / 'summary.json').exists(),
  )
  out = killing.finish(killing.start(place))
  if was_finished:
    assert f'{place.workdir} is finished' in out
  else:
    # Nothing that was saved is trained again.
    assert re.findall(r'resumes after epoch (\d+)', out) == (
        [str(epoch)] if epoch else []
    )
    assert len(re.findall(r'^ {4}\d  ', out, re.M)) == 4 - epoch
  assert killing.results(place) == expected


@pytest.mark.slow
@pytest.mark.parametrize('what', _MIDDLES)
def test_sigkill_in_the_middle_of_a_file_changes_no_bit(
    quiet: Any, tmp_path: pathlib.Path, what: Any
) -> None:
  """Parameters, metrics, predictions and best epoch; no file is left."""
  moment = next(m for m in quiet[1] if re.match(_MIDDLES[what], m))
  _assert_goes_on(quiet, tmp_path, moment)


@pytest.mark.slow
def test_sigkill_in_the_middle_of_a_checkpoint_changes_no_bit_of_vgg16(
    phantoms: pathlib.Path, tmp_path: pathlib.Path
) -> None:
  """Its arrays are large enough for several chunks and threads."""
  quiet = _undisturbed(
      killing.Place(phantoms, tmp_path / 'quiet', 'last_block,phantom')
  )
  moment = next(m for m in quiet[1] if re.match(_QUICK['checkpoint'], m))
  _assert_goes_on(quiet, tmp_path / 'killed', moment)


@pytest.mark.slow
@pytest.mark.parametrize('item', ['params', 'record'])
def test_a_damaged_checkpoint_changes_no_bit(
    quiet: Any, tmp_path: pathlib.Path, item: str
) -> None:
  """A killed run whose newest epoch is damaged: it goes back, and says so."""
  undisturbed, moments, expected = quiet
  place = killing.Place(undisturbed.data, tmp_path)
  shutil.copytree(undisturbed.cache / 'compiled', place.cache / 'compiled')
  killing.kill(
      place,
      next(
          m for m in moments if re.match(r'open /\.metrics\.jsonl\.#\.tmp 4', m)
      ),
  )
  assert killing.saved(place) == 3
  largest = max(
      (place.workdir / 'checkpoints/3' / item).rglob('*'),
      key=lambda path: path.stat().st_size * path.is_file(),
  )
  os.truncate(largest, largest.stat().st_size // 2)
  out = killing.finish(killing.start(place))
  assert f'{place.workdir}/checkpoints/3: cannot be restored' in out
  assert 'going back to epoch 2' in out and 'resumes after epoch 2' in out
  assert killing.results(place) == expected


@pytest.mark.slow
@pytest.mark.parametrize('number', range(_KILLS))
def test_sigkill_at_any_moment_changes_no_bit(
    quiet: Any, tmp_path: pathlib.Path, number: Any
) -> None:
  """Also in the middle of arrays, compilations and cached programs."""
  draw = random.Random(number)
  moment = draw.choice(quiet[1]) if number % 2 else draw.uniform(1, 12)
  print('killed at', moment)
  _assert_goes_on(quiet, tmp_path, moment)
