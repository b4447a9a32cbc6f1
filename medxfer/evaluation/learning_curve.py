"""What more training images would bring: a power law through several sizes.

The error falls with the number of training images n about as a n^-b (Hestness
et al., 'Deep learning scaling is predictable, empirically', arXiv 1712.00409,
2017); it is read as a straight line through the logarithms. A third parameter,
the error that no number of images removes, is not to be had from a handful of
sizes (Mahmood et al., 'How much more data do I need?', CVPR 2022): what is
said beyond twice the images would be a guess, and is not said.
"""

from collections.abc import Sequence
import dataclasses

import numpy as np

_FEWEST = 3  # Sizes.
# Of the standard error of a point: further from the line, it is no line.
_FURTHEST = 2.0
_LEVEL = 0.95
_SMALLEST = 1e-4  # Error; the logarithm of none is not to be had.
_LEAST_SPREAD = 1e-3  # Standard error of a point.


@dataclasses.dataclass(frozen=True)
class PowerLaw:
  """What a power law says.

  Attributes:
    exponent: b; how fast the error falls.
    fits: whether the points lie on a line, as far as chance allows.
    factor: of the number of images.
    gain: of the metric with so many times as many images.
    interval: of the gain, for 95 %.
  """

  exponent: float
  fits: bool
  factor: float
  gain: float
  interval: tuple[float, float]


def fit(
    sizes: Sequence[int],
    values: Sequence[float],
    draws: np.ndarray,
    factor: float = 2.0,
) -> PowerLaw | None:
  """Fits a power law to the error, which is one less the metric.

  Args:
    sizes: numbers of training images, ascending, k of them.
    values: the metric at each, such as a macro F1.
    draws: the metric at each on resampled images (and seeds), [k, resamples];
      the same draws at all sizes.
    factor: how many times the largest size is asked about.

  Returns:
    The law; None with fewer than three sizes.
  """
  if len(sizes) < _FEWEST:
    return None
  x = np.log(np.asarray(sizes, float))
  errors = np.log(np.maximum(1 - np.asarray(values, float), _SMALLEST))
  drawn = np.log(np.maximum(1 - np.asarray(draws, float), _SMALLEST))
  spread = np.maximum(drawn.std(axis=1, ddof=1), _LEAST_SPREAD)
  slope, start = _line(x, errors, spread)
  residuals = (errors - start - slope * x) / spread
  gain = _gain(slope, start, x[-1], factor)
  slopes, starts = _line(x, drawn.T, spread)
  # What the line misses at the last point is part of both ends.
  gains = _gain(slopes, starts, x[-1], factor)
  low, high = np.quantile(gains, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
  return PowerLaw(
      exponent=float(-slope),
      fits=bool(np.abs(residuals).max() <= _FURTHEST),
      factor=factor,
      gain=float(gain),
      interval=(float(min(low, gain)), float(max(high, gain))),
  )


def _line(
    x: np.ndarray, y: np.ndarray, spread: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
  """Returns slope and start of weighted lines; y is [..., k]."""
  weights = 1 / spread**2
  weights = weights / weights.sum()
  centre = weights @ x
  slope = (y * weights) @ (x - centre) / (weights @ (x - centre) ** 2)
  return slope, y @ weights - slope * centre


def _gain(
    slope: np.ndarray, start: np.ndarray, last: float, factor: float
) -> np.ndarray:
  """Returns the metric at `factor` times the last size, less that there."""
  return np.exp(start + slope * last) * (1 - factor**slope)
