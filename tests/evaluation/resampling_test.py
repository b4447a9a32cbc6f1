"""Images of a group are drawn together."""

import numpy as np
import pytest

from medxfer.evaluation import predictions as predictions_lib
from medxfer.evaluation import resampling


def _scored(groups: str) -> predictions_lib.Predictions:
  n = len(groups)
  return predictions_lib.Predictions(
      tuple(f'i{i}' for i in range(n)),
      np.arange(n) % 2,
      np.full((n, 2), 0.5),
      ('a', 'b'),
      tuple(groups),
  )


def test_whole_groups_are_drawn() -> None:
  """Protects: as many groups as there are, each with all its images."""
  scored = _scored('aabbbcdddd')
  counts = np.concatenate(
      list(resampling.counts(scored, resamples=500, seed=0))
  )
  firsts = [0, 2, 5, 6]
  assert (counts[:, firsts].sum(axis=1) == 4).all()
  for first, size in zip(firsts, (2, 3, 1, 4)):
    same = counts[:, first : first + size]
    assert (same == same[:, :1]).all()
  np.testing.assert_allclose(counts.mean(axis=0), 1, atol=0.15)


def test_chunks_change_nothing_but_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
  """Protects: the number of replicates, and the same draws for a seed."""
  scored = _scored('aabbbcdddd')
  monkeypatch.setattr(resampling, '_CHUNK_VALUES', 7 * 10)
  blocks = list(resampling.counts(scored, resamples=60, seed=3))
  again = list(resampling.counts(scored, resamples=60, seed=3))
  assert len(blocks) == 9 and sum(map(len, blocks)) == 60
  np.testing.assert_array_equal(np.concatenate(blocks), np.concatenate(again))
