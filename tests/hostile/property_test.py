"""Protects against files from anywhere: refused in words, never a traceback.

Hypothesis changes what a parser accepts, byte by byte and field by field. The
fuzzer (`tests/hostile/fuzz.py`) does the same for as long as it is told, led
by what the changes reach.
"""

from collections.abc import Callable
import json
from typing import Any

import hypothesis
from hypothesis import strategies
import pytest

from tests.hostile import parsers

_EXAMPLES = 60
_settings = hypothesis.settings(
    max_examples=_EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
_JSON = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats()
    | strategies.text(max_size=5),
    lambda inner: strategies.lists(inner, max_size=3)
    | strategies.dictionaries(strategies.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@strategies.composite
def _changed(draw: Callable[..., Any], seed: bytes) -> bytes:
  """Draws bytes that are the seed's but for a few cuts and insertions."""
  content = bytearray(seed)
  for _ in range(draw(strategies.integers(1, 4))):
    start = draw(strategies.integers(0, len(content)))
    length = draw(strategies.integers(0, 8))
    content[start : start + length] = draw(
        strategies.binary(max_size=8)
        | strategies.sampled_from(
            [
                b',',
                b'"',
                b'\n',
                b'\x00',
                b'\xff',
                b'nan',
                b'-1',
                b'1e999',
                b'../..',
                b'9' * 30,
                '\u202e'.encode(),
            ]
        )
    )
  return bytes(content)


@pytest.mark.parametrize('name', parsers.PARSERS)
@_settings
@hypothesis.given(data=strategies.data())
def test_changed_files_are_read_or_refused(name: str, data: Any) -> None:
  """Whatever a disk, a spreadsheet or a stranger has made of them."""
  parser = parsers.PARSERS[name]
  parser.feed(data.draw(_changed(parser.seed)))


@pytest.mark.parametrize('name', parsers.PARSERS)
@_settings
@hypothesis.given(content=strategies.binary(max_size=200))
def test_any_bytes_are_read_or_refused(name: str, content: bytes) -> None:
  """A file of another kind under the right name."""
  parsers.PARSERS[name].feed(content)


@pytest.mark.parametrize(
    'name', ['contract', 'spec', 'layers', 'history', 'cache_about']
)
@_settings
@hypothesis.given(data=strategies.data())
def test_json_of_another_shape_is_read_or_refused(name: str, data: Any) -> None:
  """Lists for objects, numbers for names, and NaN."""
  parser = parsers.PARSERS[name]
  value = json.loads(parser.seed)
  inner, path = value, []
  while isinstance(inner, dict) and inner:
    path.append(data.draw(strategies.sampled_from(sorted(inner))))
    if data.draw(strategies.booleans()):
      break
    inner = inner[path[-1]]
  if path:
    target = value
    for key in path[:-1]:
      target = target[key]
    if isinstance(target, dict):
      target[path[-1]] = data.draw(_JSON)
  parser.feed(json.dumps(value).encode())


@pytest.mark.parametrize(
    'name, old, new',
    [
        # A member without a name, of which zipfile cannot say if it is a
        # folder.
        ('archive', b'a/ISIC_0000001.jpg', b'\0/ISIC_0000001.jpg'),
        # Protobuf gives bytes for text that is not UTF-8.
        ('onnx', b'Squeeze', b'Sque\xffze'),
        # Python's tokenizer, which NumPy asks, has errors of its own.
        ('cache_array', b"'shape'", b"'shape("),
    ],
)
def test_what_fuzzing_has_found_stays_mended(
    name: str, old: bytes, new: bytes
) -> None:
  """Each of these was a traceback once."""
  seed = parsers.PARSERS[name].seed
  assert old in seed
  parsers.PARSERS[name].feed(seed.replace(old, new))


def test_the_seeds_are_what_they_are_said_to_be() -> None:
  """A seed that is refused leads to nothing but refusals."""
  refused = {
      name
      for name, parser in parsers.PARSERS.items()
      if not parser.feed(parser.seed)
  }
  # One convolution in place of thirteen, which would be too large to change;
  # and the two that must be refused.
  assert refused == {
      'npz',
      'safetensors',
      'dicom',
      'hdf5',
      'keras',
      'onnx',
      'nested',
      'layers',
  }
