"""Free bytes on the device, in memory and on disk.

Of several processes the one that has least decides for all, so that all of
them compile the same programs.
"""

import ctypes
import pathlib
import shutil

import jax
import psutil

from medxfer.training import devices

# Pixels of the images that a CPU puts through all layers together: what the
# first layers make of them is the programs' own memory, 90 MiB for an image
# of 224x224, and more at a time are not faster.
_PIXELS = 2 * 224**2


def images_at_once(image_size: tuple[int, int], most: int) -> int:
  """Returns how many images a device should score together.

  Args:
    image_size: (height, width) in pixels.
    most: if memory does not matter.
  """
  if jax.default_backend() != 'cpu':
    return most
  height, width = image_size
  return max(1, min(most, _PIXELS // (height * width)))


def give_back() -> None:
  """Returns to the system what was freed: the C library keeps it otherwise.

  That is up to 300 MiB after a large program was compiled.
  """
  trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)
  if trim is not None:  # Only glibc has it.
    trim(0)


def on_device() -> int | None:
  """Returns the free bytes of the first device; None if it has no memory."""
  device = jax.local_devices()[0]
  if device.platform == 'cpu':
    return None
  stats = device.memory_stats() or {}
  return devices.least(
      stats.get('bytes_limit', 0) - stats.get('bytes_in_use', 0)
  )


def in_memory() -> int:
  """Returns the free bytes of the host's memory."""
  return devices.least(psutil.virtual_memory().available)


def on_disk(folder: pathlib.Path) -> int:
  """Returns the free bytes on the file system of `folder`."""
  while not folder.exists() and folder != folder.parent:
    folder = folder.parent
  return devices.least(shutil.disk_usage(folder).free)
