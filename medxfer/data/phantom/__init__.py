"""Phantoms: procedural look-alikes of medical images in public layouts.

They stand in for data that may not be shipped, so that every command can be
tried and tested without a download. A number measured on phantoms says
nothing about patients.
"""

import pathlib

from medxfer.data.phantom import chest_layout
from medxfer.data.phantom import ham_layout

KINDS = {kind.name: kind for kind in (ham_layout.KIND, chest_layout.KIND)}

write_ham10000 = ham_layout.KIND.write
smallest_ham10000 = ham_layout.KIND.smallest
write_chest_xray = chest_layout.KIND.write
smallest_chest_xray = chest_layout.KIND.smallest


def cached(name: str, cache: pathlib.Path, *, images: int) -> pathlib.Path:
  """Returns a folder with phantoms of a data set; see `Kind.cached`."""
  return KINDS[name].cached(cache, images=images)
