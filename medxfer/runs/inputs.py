"""All that a run reads, checked before the first file is written."""

from collections.abc import Iterable
import dataclasses
import hashlib
import pathlib
from typing import Any

import numpy as np

from medxfer import baselines
from medxfer import cache
from medxfer import console
from medxfer import errors
from medxfer import spec as specs
from medxfer.data import copies as copies_lib
from medxfer.data import copies_policy
from medxfer.data import datasets
from medxfer.data import decoded as decoded_lib
from medxfer.data import examples as examples_lib
from medxfer.data import file_digests as contents_lib
from medxfer.data import leaks
from medxfer.data import pixel_cache
from medxfer.data import planted_mark
from medxfer.data import published_splits
from medxfer.data import splits
from medxfer.evaluation import positive_class as positives
from medxfer.model import weights as weights_lib
from medxfer.runs import announce
from medxfer.runs import backbone as backbone_lib
from medxfer.runs import class_weights as class_weights_lib
from medxfer.runs import points
from medxfer.runs import subgroups
from medxfer.runs import value_ranges
from medxfer.training import strategy


@dataclasses.dataclass(frozen=True, eq=False)
class Inputs:
  """Images, their subsets, and pretrained weights.

  Attributes:
    examples: the table of the images that are used.
    decoded: their pixels.
    split: their subsets.
    leak: what the subsets share.
    copies: which images show the same picture.
    backbone: pretrained weights, or None for a random start or a baseline.
    decision: which split `data.split` means here.
  """

  examples: examples_lib.Examples
  decoded: decoded_lib.Decoded
  split: splits.Split
  leak: leaks.Leak
  copies: copies_lib.Copies
  backbone: weights_lib.Weights | None
  decision: published_splits.Decision

  def table(self) -> list[tuple[str, str, str, str]]:
    """Returns name, class, group and subset of every image."""
    classes = [self.examples.class_names[i] for i in self.examples.labels]
    return list(
        zip(
            self.examples.image_ids,
            classes,
            self.examples.groups,
            self.split.names(),
        )
    )

  def digests(self) -> dict[str, Any]:
    """Returns digests of the inputs, which are compared when a run resumes."""
    names, classes, groups, subsets = zip(*self.table())
    return {
        'images_digest': hashlib.sha256(
            b''.join(self.decoded.digests)
        ).hexdigest(),
        'labels_digest': _digest(
            [self.examples.class_names], zip(names, classes, groups)
        ),
        # The split follows from the seed only as long as scikit-learn deals
        # as it did when the run began.
        'split_digest': _digest(zip(names, subsets)),
        'weights_digest': self.backbone.contract.digest
        if self.backbone
        else None,
        **value_ranges.record(self.decoded.grey_range),
    }


def read(spec: specs.RunSpec, path: pathlib.Path | None = None) -> Inputs:
  """Reads images and weights, and says what they are.

  Args:
    spec: of the run.
    path: its workdir, if it may have begun: then deep grey images are scaled
      as it has recorded.

  Raises:
    DataError: images or weights are missing or damaged, or copies of one
      picture have different labels.
    UsageError: a class weight names no class, `model.trainable` no layer, or
      a baseline's images would fill the memory.
  """
  strategy.check(spec)
  examples = datasets.read(spec.data)
  # What is refused is refused before any image is decoded.
  decision = splits.decide(examples, spec.data.split, spec.data.test_source)
  for note in (*examples.notes, *decision.notes):
    console.line(f'note: {note}')
  _check_class_weights(spec.training, examples)
  positives.check(examples.class_names, spec.evaluation.positive)
  subgroups.columns(spec, examples)
  points.check(spec.evaluation, examples.class_names)
  baseline = spec.model.name in baselines.NAMES
  if baseline:
    baselines.check_memory(len(examples), spec.data.image_size)
  backbone = None if baseline else backbone_lib.read(spec)
  contents = contents_lib.read(examples.paths)
  where = cache.folder(spec.cache_dir)
  decoded = pixel_cache.read(
      examples,
      spec.data.image_size,
      on_bad_image=spec.data.on_bad_image,
      keep=baseline or spec.data.cache != 'none',
      where=where,
      contents=contents,
      grey_range=value_ranges.of_run(spec, examples, contents, path),
  )
  decoded, copies, settled = copies_policy.settle(
      decoded, copies_lib.find(decoded, where), spec.data.copies
  )
  examples = decoded.examples
  split = splits.of_run(examples, spec.data, spec.seed)
  if baseline:
    split = _without_val(split)
  leak = leaks.audit(examples, split, decoded.digests, copies)
  decoded = planted_mark.of_class(spec.data.planted_mark, decoded, split)
  inputs = Inputs(examples, decoded, split, leak, copies, backbone, decision)
  announce.images(spec, inputs, positive(spec, inputs), settled)
  return inputs


def positive(spec: specs.RunSpec, inputs: Inputs) -> positives.Positive | None:
  """Returns the positive class of two; None of more.

  Raises:
    UsageError: see `positive.choose`.
  """
  return positives.choose(
      inputs.examples.class_names,
      splits.counts(inputs.examples, inputs.split.train),
      spec.evaluation.positive,
  )


def class_weights(spec: specs.TrainingSpec, inputs: Inputs) -> np.ndarray:
  """Returns the factors of the loss, float32 [classes]."""
  return class_weights_lib.factors(
      spec.class_weights,
      inputs.examples.class_names,
      np.bincount(
          inputs.examples.labels[inputs.split.train],
          minlength=len(inputs.examples.class_names),
      ),
  )


def _digest(*tables: Iterable[Iterable[str]]) -> str:
  lines = [','.join(row) for table in tables for row in table]
  return hashlib.sha256('\n'.join(lines).encode()).hexdigest()


def _check_class_weights(
    spec: specs.TrainingSpec, examples: examples_lib.Examples
) -> None:
  if isinstance(spec.class_weights, str):
    return
  for name, _ in spec.class_weights:
    if name not in examples.class_names:
      raise errors.UsageError(
          f'training.class_weights: {examples.name} has no class {name!r}; '
          f'its classes are {", ".join(examples.class_names)}'
      )


def _without_val(split: splits.Split) -> splits.Split:
  """Trains on the validation images too: the 80/20 split of section 6.1.

  A baseline has nothing to choose by validation, and the test images stay
  those of a network with the same seed.
  """
  return splits.Split(
      train=np.sort(np.concatenate([split.train, split.val])),
      val=split.val[:0],
      test=split.test,
      unused=split.unused,
  )
