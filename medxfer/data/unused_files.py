"""Files and images that are not used, counted and named; nothing vanishes."""

import collections
from collections.abc import Iterable
from collections.abc import Mapping

from medxfer.data import examples as examples_lib
from medxfer.data import file_kinds

_EXAMPLES = 2  # Files of a kind that a line names.


def counts(left_out: Mapping[str, str]) -> dict[str, int]:
  """Returns reason -> how many files were left out for it, most first."""
  return dict(collections.Counter(left_out.values()).most_common())


def said(left_out: Mapping[str, str]) -> str:
  """Returns one line that counts what was left out and why, or ''."""
  if not left_out:
    return ''
  parts = []
  for reason, count in counts(left_out).items():
    named = (name for name, why in left_out.items() if why == reason)
    parts.append(
        f'{count:,} {file_kinds.plural(reason, count)} ({_some(named, count)})'
    )
  files = 'file' if len(left_out) == 1 else 'files'
  return f'left out: {len(left_out):,} {files}: {", ".join(parts)}'


def skipped_said(skipped: Mapping[str, str]) -> str:
  """Returns one line that counts the bad images and shows some, or ''."""
  if not skipped:
    return ''
  named = (f'{name}: {reason}' for name, reason in skipped.items())
  images = 'image' if len(skipped) == 1 else 'images'
  return f'skipped: {len(skipped):,} {images} ({_some(named, len(skipped))})'


def pages_said(pages: Mapping[str, int]) -> str:
  """Returns one line that counts the images of several pages, or ''."""
  if not pages:
    return ''
  named = (f'{name}: {count:,}' for name, count in pages.items())
  hold = '1 image holds' if len(pages) == 1 else f'{len(pages):,} images hold'
  return (
      f'pages: {hold} several pictures ({_some(named, len(pages))}); only '
      'the first is read'
  )


def all_said(examples: examples_lib.Examples) -> list[str]:
  """Returns lines about images and files of a table that are not used."""
  lines = (
      skipped_said(examples.skipped),
      said(examples.left_out),
      pages_said(examples.pages),
  )
  return [line for line in lines if line]


def rows(examples: examples_lib.Examples) -> list[tuple[str, str, str]]:
  """Returns (name, reason, 'skipped' or 'left_out') of each of them.

  First the images that are bad ('skipped'), then the files that are no images
  of the data set ('left_out', with their paths as names).
  """
  return [
      (shown(name), reason, what)
      for what in ('skipped', 'left_out')
      for name, reason in getattr(examples, what).items()
  ]


def shown(name: str) -> str:
  """Returns a name as a line of text can hold it: control characters and
  bytes that are no UTF-8 as escapes."""
  return ''.join(
      c if c.isprintable() else c.encode('unicode_escape').decode()
      for c in name
  )


def packed(left_out: Mapping[str, str]) -> str:
  """Returns the advice to unpack archives, or ''."""
  names = [name for name, why in left_out.items() if 'archive' in why]
  return f'unpack {_some(names, len(names))}' if names else ''


def _some(names: Iterable[str], count: int) -> str:
  first = [shown(name) for name, _ in zip(names, range(_EXAMPLES))]
  return ', '.join([*first, '...'] if count > len(first) else first)
