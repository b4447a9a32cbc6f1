"""The checkpoints of a run: which are kept, and from which one it resumes.

Folder `N` was saved after epoch N, folder `N.S` after S more steps, because
somebody stopped the run. Kept are the newest two and the best epoch; of a
finished run the best epoch's parameters, the newest record and, if wanted,
what the run needs to resume from there.
"""

import contextlib
import pathlib
import shutil

from medxfer import console
from medxfer import errors
from medxfer import files
from medxfer.model import optimizer
from medxfer.model.weights import metadata as contracts
from medxfer.training import checkpoint_delta
from medxfer.training import checkpoint_io
from medxfer.training import devices
from medxfer.training import state as states

FOLDER = 'checkpoints'
_NEWEST = 2
_ASIDE = '.damaged'

# Epochs done, and steps since.
_Place = tuple[int, int]


class Checkpoints:
  """The checkpoints of one workdir."""

  def __init__(self, workdir: pathlib.Path, *, read_only: bool = False):
    """Opens `workdir`/checkpoints, creating it unless `read_only`.

    Raises:
      DataError: `read_only`, and there is none; or else nothing that is
        saved there could be restored.
    """
    self._workdir = workdir
    self._path = (workdir / FOLDER).absolute()
    if read_only and not self._path.is_dir():
      raise errors.DataError(
          f'{workdir}: no {FOLDER} in it; give the --workdir of a run'
      )
    if not read_only:
      files.check_name(self._path)
    if not read_only and devices.is_first_process():
      self._path.mkdir(parents=True, exist_ok=True)
      self._sweep()

  def save(
      self, checkpoint: checkpoint_io.Checkpoint, contract: contracts.Contract
  ) -> None:
    """Saves a checkpoint, and removes those that are no longer needed.

    Args:
      checkpoint: what to save.
      contract: of its parameters.

    Raises:
      DataError: it cannot be written; what was saved before is still there.
    """
    place = (checkpoint.epoch, checkpoint.steps)
    path = self._folder(place)
    before = self._places()
    try:
      checkpoint_io.write(path, checkpoint, contract)
    except errors.DataError as error:
      if devices.is_first_process():
        with contextlib.suppress(OSError):  # Else the next start does it.
          self._sweep()
      raise errors.DataError(
          f'{error}. {self.safe()}: make room, or the folder writable, and '
          'give the same command again'
      ) from error
    if devices.is_first_process():
      newest = (place, *before[: _NEWEST - 1])
      self._keep({*newest, *map(self._base, newest), (checkpoint.best, 0)})

  def safe(self) -> str:
    """Returns in words up to where the run is saved."""
    places = self._places()
    if not places:
      return 'Nothing of the run is saved yet'
    last = places[0]
    return f'The run is saved up to {_words(last)}, {self._folder(last)}'

  def latest(self, like: checkpoint_io.Like) -> checkpoint_io.Checkpoint | None:
    """Returns the newest sound checkpoint, or None before the first.

    Newer ones that are damaged are put aside, and it is said.

    Args:
      like: see `checkpoint_io.Like`.

    Raises:
      DataError: there are some, and none is sound, or what was the best epoch
        so far is not; or they belong to another optimizer.
    """
    damaged: dict[_Place, errors.DataError] = {}
    for place in self._places():
      try:
        found = checkpoint_io.read(self._folder(place), like)
        break
      except errors.DataError as error:
        damaged[place] = error
    else:
      if not damaged:
        return None
      first, *others = damaged.values()
      also = f', nor can {len(others)} older' if others else ''
      raise errors.DataError(
          f'{first}{also}: no checkpoint to resume from; give another '
          '--workdir to start anew'
      )
    if found.best and place != (found.best, 0):
      self._read_best(found.best)
    for newer, error in damaged.items():
      console.line(f'note: {error}')
      if devices.is_first_process():
        self._put_aside(newer)
    if damaged:
      console.line(f'note: going back to {_words(place)}, the newest sound one')
    return found

  def best_anew(
      self, like: states.TrainState, steps: int
  ) -> checkpoint_io.Checkpoint | None:
    """Returns the best epoch with a new optimizer, if no other was kept.

    Newer epochs make way. What counts the steps of a schedule goes on.

    Args:
      like: a state before the first step.
      steps: of an epoch.

    Raises:
      DataError: the best epoch is damaged.
    """
    if self.can_go_on() or not self._places():
      return None
    best = self._record()['best']
    weights = self._read_best(best)
    record = checkpoint_io.read_record(self._folder((best, 0)))
    if devices.is_first_process():
      for place in self._places():
        if place > (best, 0):
          self._remove(self._folder(place))
    step = like.step + best * steps
    return checkpoint_io.Checkpoint(
        states.TrainState(
            step=step,
            params=devices.replicate(weights.params),
            opt_state=optimizer.at_step(like.opt_state, step),
        ),
        tuple(record['history']),
        best,
    )

  def can_go_on(self) -> bool:
    """Whether the state of an optimizer was kept."""
    return any(
        checkpoint_io.has_optimizer(self._folder(place))
        for place in self._places()
    )

  def history(self) -> tuple[checkpoint_io.Record, ...]:
    """Returns one record per epoch, as far as a sound checkpoint has them."""
    try:
      return tuple(self._record()['history'])
    except errors.DataError:
      return ()

  def best_weights(self) -> tuple[int, contracts.Weights]:
    """Returns the best epoch and its parameters, whatever the optimizer was.

    Raises:
      DataError: there is no checkpoint, or it is damaged.
    """
    best = self._record()['best']
    return best, self._read_best(best)

  def finish(self, *, keep_last: bool = False) -> None:
    """Removes what a finished run does not need.

    Args:
      keep_last: whether it may go on one day as if it had not ended.

    Raises:
      DataError: nothing says any more which epoch is the best.
    """
    best = (self._record()['best'], 0)
    newest = self._places()[0]
    if keep_last and newest != best:
      try:
        checkpoint_io.share(self._folder(newest), self._folder(best))
      except errors.DataError as error:
        console.line(
            f'note: {error}; so this run cannot resume from its last epoch'
        )
        keep_last = False
    if not devices.is_first_process():
      return
    kept = {self._folder(place) for place in (best, newest)}
    for path in self._path.iterdir():
      if path not in kept:
        self._remove(path)
    for path in kept:
      files.sweep(path)
      checkpoint_io.forget(
          path,
          parameters=path != self._folder(best),
          optimizer=not keep_last or path != self._folder(newest),
      )

  def _record(self) -> checkpoint_io.Record:
    """Returns the newest sound record that knows of an epoch."""
    problem = errors.DataError(
        f'{self._path}: no checkpoint yet; let the run finish an epoch'
    )
    for place in self._places():
      try:
        record = checkpoint_io.read_record(self._folder(place))
      except errors.DataError as error:
        problem = error
        continue
      if record['best']:
        return record
    raise problem

  def _read_best(self, epoch: int) -> contracts.Weights:
    try:
      return checkpoint_io.read_weights(self._folder((epoch, 0)))
    except errors.DataError as error:
      raise errors.DataError(
          f'{error}, and it is the best epoch so far; give another --workdir '
          'to start anew'
      ) from error

  def _base(self, place: _Place) -> _Place:
    """Returns the place that another one needs, itself if none."""
    base = checkpoint_delta.base(self._folder(place))
    return (int(base.name), 0) if base else place

  def _folder(self, place: _Place) -> pathlib.Path:
    epoch, steps = place
    return self._path / (f'{epoch}.{steps}' if steps else f'{epoch}')

  def _places(self) -> list[_Place]:
    """Returns what is saved, newest first."""
    found = []
    if not self._path.is_dir():  # The first process is about to make it.
      return found
    for path in self._path.iterdir():
      epoch, _, steps = path.name.partition('.')
      steps = steps or '0'
      if path.is_dir() and epoch.isdecimal() and steps.isdecimal():
        found.append((int(epoch), int(steps)))
    return sorted(found, reverse=True)

  def _keep(self, places: set[_Place]) -> None:
    for place in set(self._places()) - places:
      self._remove(self._folder(place))

  def _put_aside(self, place: _Place) -> None:
    """Makes way for the same epoch, without deleting what may be of use."""
    path = self._folder(place)
    aside = path.with_name(path.name + _ASIDE)
    shutil.rmtree(aside, ignore_errors=True)
    path.rename(aside)

  def _remove(self, path: pathlib.Path) -> None:
    # Half a checkpoint must not look like a whole one.
    gone = path.rename(path.with_name(f'.{path.name}.tmp'))
    shutil.rmtree(gone, ignore_errors=True)  # Else the next start does it.

  def _sweep(self) -> None:
    """Removes what a killed process left half-saved or half-removed."""
    files.sweep(self._path)
    for path in self._path.glob('*.orbax-checkpoint-tmp*'):
      shutil.rmtree(path)


def export(workdir: pathlib.Path) -> contracts.Weights:
  """Reads the parameters of a run's best epoch.

  Args:
    workdir: of a run that has finished an epoch.

  Raises:
    DataError: it is none, or its checkpoint is damaged.
  """
  return Checkpoints(workdir, read_only=True).best_weights()[1]


def _words(place: _Place) -> str:
  epoch, steps = place
  return f'epoch {epoch}' + (f' and {steps} steps' if steps else '')
