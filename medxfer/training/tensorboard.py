"""TensorBoard's view of the history: scalar events in a TFRecord file.

TensorFlow has a writer for them, which every training would load for 500 MiB
of memory and some seconds. The format is a few lines: records as
`tensorflow/core/lib/io/record_writer.h` has them, and in each the message
`tensorflow/core/util/event.proto`.
"""

import pathlib
import struct
import time

from medxfer.training import checkpoint_io

_NAME = 'events.out.tfevents.medxfer'
_POLYNOMIAL = 0x82f63b78  # CRC-32C (Castagnoli), bits reversed.
_MASK = 0xa282ead8
# Fields of the messages: number << 3 | how it is written.
_WALL_TIME, _STEP, _FILE_VERSION, _SUMMARY = 0x09, 0x10, 0x1a, 0x2a
_VALUE, _TAG, _SIMPLE_VALUE = 0x0a, 0x0a, 0x15


class EventWriter:
  """Writes one scalar a number of a record; a context manager."""

  def __init__(self, workdir: pathlib.Path):
    """Starts the file anew: the caller repeats the history so far."""
    self._file = (workdir / _NAME).open('wb')
    self._write(_bytes(_FILE_VERSION, b'brain.Event:2'))

  def __enter__(self) -> 'EventWriter':
    return self

  def __exit__(self, *_: object) -> None:
    self._file.close()

  def write(self, record: checkpoint_io.Record) -> None:
    """Writes the numbers of an epoch."""
    values = b''.join(
        _bytes(_VALUE, _bytes(_TAG, name.encode())
               + struct.pack('<Bf', _SIMPLE_VALUE, value))
        for name, value in record.items() if name != 'epoch')
    self._write(bytes([_STEP]) + _varint(record['epoch'])
                + _bytes(_SUMMARY, values))

  def _write(self, fields: bytes) -> None:
    event = struct.pack('<Bd', _WALL_TIME, time.time()) + fields
    length = struct.pack('<Q', len(event))
    self._file.write(length + _checksum(length) + event + _checksum(event))
    self._file.flush()


def _bytes(field: int, content: bytes) -> bytes:
  return bytes([field]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
  """Writes seven bits a byte, the lowest first; the eighth says: go on."""
  parts = []
  while number > 0x7f:
    parts.append(number & 0x7f | 0x80)
    number >>= 7
  return bytes([*parts, number])


def _checksum(content: bytes) -> bytes:
  crc = 0xffffffff
  for byte in content:
    crc ^= byte
    for _ in range(8):
      crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
  crc ^= 0xffffffff
  # Turned and shifted, so that a checksum of checksums is none of itself.
  masked = (crc >> 15 | crc << 17) + _MASK
  return struct.pack('<I', masked & 0xffffffff)
