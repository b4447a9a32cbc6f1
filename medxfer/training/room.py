"""How many bytes are free: on the device, in memory, on disk.

Of several processes the one that has least decides for all, so that all of
them compile the same programs.
"""

import pathlib
import shutil

import jax
import psutil

from medxfer.training import devices


def on_device() -> int | None:
  """Returns what the first device has free; None if it has no own memory."""
  device = jax.local_devices()[0]
  if device.platform == 'cpu':
    return None
  stats = device.memory_stats() or {}
  return devices.least(
      stats.get('bytes_limit', 0) - stats.get('bytes_in_use', 0))


def in_memory() -> int:
  """Returns what the host has free."""
  return devices.least(psutil.virtual_memory().available)


def on_disk(folder: pathlib.Path) -> int:
  """Returns what the disk has free on which `folder` is or would be."""
  while not folder.exists() and folder != folder.parent:
    folder = folder.parent
  return devices.least(shutil.disk_usage(folder).free)
