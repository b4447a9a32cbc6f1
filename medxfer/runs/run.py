"""One run: table -> pixels -> split -> classifier -> summary."""

import dataclasses
import pathlib
import tempfile
from typing import Any

from medxfer import baselines
from medxfer import cache
from medxfer import console
from medxfer import spec as specs
from medxfer.data import planted_mark
from medxfer.data import splits
from medxfer.data import unused_files
from medxfer.evaluation import summary as summaries
from medxfer.runs import backbone
from medxfer.runs import baseline
from medxfer.runs import calibrated
from medxfer.runs import device_errors
from medxfer.runs import environment
from medxfer.runs import finetune
from medxfer.runs import fingerprints
from medxfer.runs import inputs as inputs_lib
from medxfer.runs import more_epochs
from medxfer.runs import points
from medxfer.runs import resume
from medxfer.runs import scoring
from medxfer.runs import subgroups
from medxfer.runs import without_copies
from medxfer.runs import workdir
from medxfer.runs import workdir_lock
from medxfer.training import checkpoints
from medxfer.training import compiled
from medxfer.training import devices


def run(
    spec: specs.RunSpec,
    path: pathlib.Path,
    *,
    profile: bool = False,
    keep_last: bool = True,
) -> dict[str, Any]:
  """Runs a specification in a workdir, or resumes it.

  Args:
    spec: what to do.
    path: the workdir; created if absent.
    profile: whether to write a trace of some steps of a network.
    keep_last: whether a finished run keeps what it needs to be asked for more
      epochs one day: the state of its optimizer, and its last epoch.

  Returns:
    The content of its summary.json.

  Raises:
    UsageError: the workdir is in use, or belongs to another specification.
    DataError: images, weights or a checkpoint are missing or damaged.
  """
  devices.repeatable(wanted=spec.deterministic)
  with (
      workdir_lock.shared(path, first=devices.is_first_process()) as output,
      device_errors.explained(spec),
  ):
    if devices.is_first_process():
      resume.refuse_other_spec(path, spec)
    # Here the others wait for the first.
    work = resume.Work(devices.least(resume.work(path, spec)))
    if work == resume.Work.NOTHING:
      return _finished(path, spec, keep_last)
    compiled.keep(cache.folder(spec.cache_dir))
    devices.check_batch_size('training.batch_size', spec.training.batch_size)
    devices.check_batch_size(
        'evaluation.batch_size', spec.evaluation.batch_size
    )
    inputs = inputs_lib.read(spec, path)
    fingerprints.refuse_other(path, inputs)
    if work == resume.Work.COMPARE:
      return _finished(path, spec, keep_last)
    if work == resume.Work.TRAIN:
      more_epochs.begin(path, spec, first=devices.is_first_process())
      _write_start(output, spec, inputs)
      result = _result(path, output, spec, inputs, profile)
      summary = _summary(path, output, spec, inputs, result)
      workdir.Workdir(output).write_summary(summary)
    else:
      summary = _score_again(path, output, spec, inputs, work)
    _finish(path, keep_last)
  _tell(spec, inputs, summary)
  return summary


def _finished(
    path: pathlib.Path, spec: specs.RunSpec, keep_last: bool
) -> dict[str, Any]:
  """Says what a run has scored that has nothing left to do."""
  _finish(path, keep_last)
  summary = workdir.Workdir(path).summary()
  resume.say_finished(path, spec)
  console.line(summaries.table(summary['test']))
  return summary


def _tell(
    spec: specs.RunSpec, inputs: inputs_lib.Inputs, summary: dict[str, Any]
) -> None:
  """Says what a finished run has scored."""
  best = summary['best_epoch']
  scored = (
      f'epoch {best} of {summary["epochs_run"]}' if best else (spec.model.name)
  )
  console.line(f'test, {scored}:')
  console.line(summaries.table(summary['test']))
  without_copies.announce(inputs.leak, summary['test_without_copies'])
  mark = planted_mark.sentence(summary.get(planted_mark.KEY))
  for sentence in (
      *([mark] if mark else []),
      *points.sentences(summary[points.KEY]),
      *subgroups.sentences(summary[subgroups.KEY]),
  ):
    console.line(sentence)
  for note in summary.get('training_notes', ()):
    console.line(f'note: {note["text"]}')


def _result(
    path: pathlib.Path,
    output: pathlib.Path,
    spec: specs.RunSpec,
    inputs: inputs_lib.Inputs,
    profile: bool = False,
) -> dict[str, Any]:
  """Trains what is left to train, and scores it."""
  if spec.model.name in baselines.NAMES:
    return baseline.run(output, spec, inputs)
  return finetune.run(path, output, spec, inputs, profile=profile)


def _score_again(
    path: pathlib.Path,
    output: pathlib.Path,
    spec: specs.RunSpec,
    inputs: inputs_lib.Inputs,
    work: resume.Work,
) -> dict[str, Any]:
  """Scores a finished run by other keys of `evaluation`, all of it or nothing.

  Args:
    path: the workdir.
    output: see `workdir_lock.shared`.
    spec: what is asked for.
    inputs: what the run has read.
    work: whether its predictions are made again.
  """
  with tempfile.TemporaryDirectory(prefix='medxfer-') as folder:
    made = pathlib.Path(folder)
    if work == resume.Work.SCORE:
      console.line('scores again; nothing is trained')
      result, scored = _result(path, made, spec, inputs), made
    else:
      console.line('computes its numbers again; nothing is trained')
      read = lambda subset: scoring.read(path, inputs, subset)
      before = workdir.Workdir(path).summary()
      if spec.model.name in baselines.NAMES:
        again = baseline.numbers(spec, inputs, read)
      else:
        classes = inputs.examples.class_names
        again = scoring.numbers(
            spec, inputs, read, calibrated.of_summary(before, classes)
        )
      result, scored = {**before, **again}, path
    summary = _summary(path, scored, spec, inputs, result)
    # All is known. A run without a summary is scored at its next start: no
    # moment of what follows leaves one that belongs to other predictions.
    target = workdir.Workdir(output)
    target.remove_summary()
    _write_start(output, spec, inputs)
    target.take_scores(workdir.Workdir(made))
    target.write_summary(summary)
  return summary


def _finish(path: pathlib.Path, keep_last: bool) -> None:
  """Removes what a finished run does not need."""
  # Somebody may have removed all of them.
  if workdir.Workdir(path).checkpoints.is_dir():
    checkpoints.Checkpoints(path).finish(keep_last=keep_last)


def _write_start(
    path: pathlib.Path, spec: specs.RunSpec, inputs: inputs_lib.Inputs
) -> None:
  """Writes what is about to be done, on what."""
  workdir.Workdir(path).write_start(spec, environment.describe(spec))
  fingerprints.write(path, inputs)


def _summary(
    path: pathlib.Path,
    scored: pathlib.Path,
    spec: specs.RunSpec,
    inputs: inputs_lib.Inputs,
    result: dict[str, Any],
) -> dict[str, Any]:
  """Adds the entries that every summary has to a classifier's result.

  Args:
    path: the workdir.
    scored: the folder that holds its predictions now.
    spec: what was done,
    inputs: on what,
    result: and what came of it.
  """
  test = scoring.read(scored, inputs, 'test')
  positive = inputs_lib.positive(spec, inputs)
  continued = workdir.Workdir(path).continued()
  return {
      'status': 'finished',
      'arm': spec.arm,
      **result,
      'weights_digest': inputs.digests()['weights_digest'],
      'weights_source': backbone.origin(spec.model, inputs.backbone),
      # What data.split came to, and how the folders were understood.
      'split': inputs.decision.kind,
      'notes': [*inputs.examples.notes, *inputs.decision.notes],
      'n': {
          subset: len(inputs.split.rows(subset)) for subset in splits.SUBSETS
      },
      'positive': {'class': positive.name, 'why': positive.why}
      if positive
      else None,
      'skipped': len(inputs.examples.skipped),
      'left_out': unused_files.counts(inputs.examples.left_out),
      'several_pages': len(inputs.examples.pages),
      'leak': dataclasses.asdict(inputs.leak),
      subgroups.KEY: subgroups.of_images(
          inputs.examples, subgroups.columns(spec, inputs.examples), test
      ),
      'test_without_copies': without_copies.summary(
          spec, inputs, test, result.get('threshold')
      ),
      **({'continued': continued} if continued else {}),
  }
