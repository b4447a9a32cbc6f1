"""How alike two layers see the same images: linear CKA, unbiased.

Kornblith et al., 'Similarity of neural network representations revisited'
(arXiv 1905.00414), with the unbiased estimator of Song et al., 'Feature
selection via dependence maximization' (JMLR 13, 2012), as Nguyen et al. (arXiv
2010.15327) use it: the plain estimator calls any two layers alike that have
more channels than there are images.
"""

import numpy as np

from medxfer import errors

FEWEST = 4  # Images: the estimator divides by n - 3.


def linear_cka(x: np.ndarray, y: np.ndarray) -> float:
  """Returns the centred kernel alignment of two sets of features.

  Args:
    x: [n, p], features of n images, n at least `FEWEST`.
    y: [n, q], other features of the same images.

  Returns:
    1 for the same features, also rotated, shifted or scaled as a whole; about
    0, and possibly a little below, for unrelated ones; NaN where features are
    constant.

  Raises:
    DataError: there are fewer than `FEWEST` images.
    ValueError: both have not the same number of images.
  """
  if len(x) != len(y):
    raise ValueError(f'features of {len(x)} and of {len(y)} images')
  refuse_too_few(len(x))
  k, l = _kernel(x), _kernel(y)
  across, within = _hsic(k, l), _hsic(k, k) * _hsic(l, l)
  return float(across / np.sqrt(within)) if within > 0 else float('nan')


def refuse_too_few(images: int) -> None:
  """Refuses images that are too few to compare layers by.

  Raises:
    DataError: there are fewer than `FEWEST`.
  """
  if images < FEWEST:
    raise errors.DataError(
        f'{images} images are too few to compare layers by: {FEWEST} or more '
        'are needed'
    )


def _kernel(x: np.ndarray) -> np.ndarray:
  """Returns the products of every two images, [n, n], 0 on the diagonal."""
  x = x.astype(np.float64)
  x -= x.mean(axis=0)  # Changes nothing but the rounding.
  kernel = x @ x.T
  np.fill_diagonal(kernel, 0.0)
  return kernel


def _hsic(k: np.ndarray, l: np.ndarray) -> float:
  """Returns the unbiased dependence (equation 5 of Song et al.)."""
  n = len(k)
  together = (k * l).sum()  # The trace of the product: both are symmetric.
  apart = k.sum() * l.sum() / ((n - 1) * (n - 2))
  crossed = k.sum(axis=0) @ l.sum(axis=1) * 2 / (n - 2)
  return (together + apart - crossed) / (n * (n - 3))
