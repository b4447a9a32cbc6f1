"""Protects what a log says of long work: that it began, how long it takes."""

import sys
from typing import Any

import pytest

from medxfer import progress


class _Clock:
  """Time that passes only where a test says so."""

  def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
    self.now = 0.0
    monkeypatch.setattr(progress.time, 'monotonic', lambda: self.now)
    monkeypatch.setattr(sys.stderr, 'isatty', lambda: False)


def _track(clock: _Clock, seconds: list, **settings: Any) -> None:
  """Goes through items that take so many seconds each."""
  for item, taken in zip(
      progress.track(
          seconds,
          total=len(seconds),
          title='reading',
          unit='images',
          **settings,
      ),
      seconds,
  ):
    assert item == taken
    clock.now += taken


def test_a_log_says_what_begins_and_how_long_it_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
  """A minute without a word looks like a program that hangs."""
  _track(_Clock(monkeypatch), [2.0] * 100)
  first, second, *rest = capsys.readouterr().out.splitlines()
  assert first == 'reading: 100 images'
  assert second == '  reading: 3 of 100 images, about 3 min left'
  assert rest == [
      '  reading: 33 of 100 images, about 2 min left',
      '  reading: 63 of 100 images, about 74 s left',
      '  reading: 93 of 100 images, about 14 s left',
  ]


@pytest.mark.parametrize(
    'unit, one',
    [('images', 'image'), ('batches', 'batch'), ('rounds of 9', 'rounds of 9')],
)
def test_one_is_said_in_the_singular(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    unit: str,
    one: str,
) -> None:
  """Small data sets have one batch."""
  _Clock(monkeypatch)
  list(progress.track([1], total=1, title='it', unit=unit))
  assert capsys.readouterr().out == f'it: 1 {one}\n'


def test_a_compilation_does_not_spoil_the_estimate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
  """The first item waits for it, the others do not."""
  _track(_Clock(monkeypatch), [60.0] + [1.0] * 40)
  assert capsys.readouterr().out.splitlines() == [
      'reading: 41 images',
      '  reading: 2 of 41 images, about 39 s left',
  ]
  _track(_Clock(monkeypatch), [60.0, 0.1, 0.1])
  assert capsys.readouterr().out.splitlines() == ['reading: 3 images']


def test_nor_does_one_that_several_items_wait_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
  """Devices take several batches together, when the last is there."""
  _track(_Clock(monkeypatch), [0.0, 0.0, 0.0, 60.0] + [1.0] * 40, at_once=4)
  assert capsys.readouterr().out.splitlines() == [
      'reading: 44 images',
      '  reading: 5 of 44 images, about 39 s left',
  ]


def test_what_was_announced_is_said_once_a_minute(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
  """Epochs after the first: their line says how long they take."""
  _track(_Clock(monkeypatch), [1.0] * 50, announced=True)
  assert capsys.readouterr().out == ''
  _track(_Clock(monkeypatch), [2.0] * 50, announced=True)
  assert capsys.readouterr().out.splitlines() == [
      '  reading: 30 of 50 images, about 40 s left'
  ]


@pytest.mark.parametrize(
    'seconds, words',
    [
        (0.4, '0 s'),
        (8, '8 s'),
        (89, '89 s'),
        (90, '2 min'),
        (600, '10 min'),
        (5399, '90 min'),
        (5400, '2 h'),
        (36000, '10 h'),
    ],
)
def test_durations_are_said_in_the_unit_that_fits(
    seconds: float, words: str
) -> None:
  """Nobody waits for 5,123 seconds."""
  assert progress.duration(seconds) == words
