"""Medians, ratios and their spread."""

from collections.abc import Mapping
from collections.abc import Sequence
import statistics

Row = Mapping[str, object]


def row(
    framework: str,
    version: str,
    seconds: Sequence[float],
    ours: Sequence[float],
    peak_mib: float,
    rate: float | None,
) -> dict[str, object]:
  """Returns what one framework reached.

  Args:
    framework: its name.
    version: of it.
    seconds: an image took, in each round.
    ours: seconds that medxfer took, in the same rounds.
    peak_mib: the largest memory of its process or device.
    rate: images per second that plain matrix products of as many operations
      would come to; None where frozen layers need not be computed.

  Returns:
    `images_per_second` (median), its `share` of that rate, and `ratio`, how
    many times as fast medxfer was: median, lowest and highest of the rounds.
  """
  speed = 1 / statistics.median(seconds)
  ratios = [theirs / own for theirs, own in zip(seconds, ours, strict=True)]
  return {
      'framework': framework,
      'version': version,
      'images_per_second': speed,
      'share': speed / rate if rate else None,
      'ratio': statistics.median(ratios),
      'ratio_low': min(ratios),
      'ratio_high': max(ratios),
      'peak_mib': peak_mib,
      'seconds_per_image': list(seconds),
  }


def text(mode: str, rows: Sequence[Row], notes: Sequence[str]) -> str:
  """Returns one mode's lines for a terminal."""
  lines = [
      f'{mode:<14}{"images/s":>10}  {"medxfer is":>10}  '
      f'{"lowest-highest":<16}{"peak MiB":>9}{"of products":>13}'
  ]
  for r in rows:
    ratio, spread = '', ''
    if r['framework'] != 'medxfer':
      ratio = f'{r["ratio"]:.2f}x'
      spread = f'{r["ratio_low"]:.2f}-{r["ratio_high"]:.2f}'
    lines.append(
        f'  {r["framework"]:<17}{r["images_per_second"]:>5.2f}  {ratio:>10}  '
        f'{spread:<16}{r["peak_mib"]:>9,.0f}'
        f'{"" if r["share"] is None else format(r["share"], ".0%"):>13}'
    )
  return '\n'.join([*lines, *(f'  {note}' for note in notes)])
