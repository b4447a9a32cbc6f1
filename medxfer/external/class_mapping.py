"""Class names of others, in terms of those that a network knows."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses

import numpy as np

from medxfer import errors
from medxfer.data import examples as examples_lib

_FORM = (
    'theirs=ours,... with a class of the network on the right, or nothing to '
    'leave theirs out'
)


def parse(text: str) -> dict[str, str]:
  """Returns their class -> a class of the network, '' to leave it out.

  Args:
    text: 'theirs=ours,theirs=ours'; '' maps nothing.

  Raises:
    UsageError: it has another form, or one of their classes is there twice.
  """
  found: dict[str, str] = {}
  for part in text.split(',') if text.strip() else ():
    theirs, equals, ours = (side.strip() for side in part.partition('='))
    if not theirs or not equals:
      raise errors.UsageError(f'--classes={text}: {part!r} is not {_FORM}')
    if theirs in found:
      raise errors.UsageError(
          f'--classes={text}: {theirs!r} is there twice; name each of their '
          'classes once'
      )
    found[theirs] = ours
  return found


def apply(
    examples: examples_lib.Examples,
    mapping: Mapping[str, str],
    ours: Sequence[str],
) -> examples_lib.Examples:
  """Returns images with the network's classes as labels.

  Args:
    examples: images with classes of others.
    mapping: their class -> ours, '' leaves its images out. A class that is not
      in it keeps its name, up to upper and lower case.
    ours: the classes of the network.

  Returns:
    The table, whose `notes` say what was mapped, and whose `left_out` lists
    the images of classes that are left out.

  Raises:
    UsageError: a class that is mapped does not exist there or here.
    DataError: a class of theirs is none of ours, or no image is left.
  """
  for theirs, name in mapping.items():
    if theirs not in examples.class_names:
      raise errors.UsageError(
          f'--classes: there is no class {theirs!r} among those images; there '
          f'are {", ".join(examples.class_names)}'
      )
    if name and name not in ours:
      raise errors.UsageError(
          f'--classes: {name!r} is not a class of the network, whose classes '
          f'are {", ".join(ours)}'
      )
  by_name = {name.casefold(): name for name in ours}
  found = {
      theirs: mapping.get(theirs, by_name.get(theirs.casefold()))
      for theirs in examples.class_names
  }
  strangers = [theirs for theirs, name in found.items() if name is None]
  if strangers:
    raise errors.DataError(
        f'{", ".join(map(repr, strangers))}: not a class of the network, whose '
        f'classes are {", ".join(ours)}; give --classes={strangers[0]}=OURS, '
        f'or --classes={strangers[0]}= to leave its images out; a known data '
        'set is named by --dataset'
    )
  return _renamed(examples, found, ours)


def _renamed(
    examples: examples_lib.Examples,
    found: Mapping[str, str | None],
    ours: Sequence[str],
) -> examples_lib.Examples:
  theirs = [examples.class_names[label] for label in examples.labels]
  keep = [i for i, name in enumerate(theirs) if found[name]]
  if not keep:
    raise errors.DataError('every class is left out; no image is left')
  kept = examples.take(keep)
  return dataclasses.replace(
      kept,
      class_names=tuple(ours),
      labels=np.array(
          [ours.index(found[theirs[i]] or '') for i in keep], np.int32
      ),
      left_out={
          **examples.left_out,
          **{
              examples.image_ids[i]: f'image of class {name}, which is left out'
              for i, name in enumerate(theirs)
              if not found[name]
          },
      },
      notes=(
          *examples.notes,
          *(
              f'their class {name} is {mapped or "left out"}'
              for name, mapped in found.items()
              if mapped != name
          ),
      ),
  )
