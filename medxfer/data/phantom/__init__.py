"""Phantoms: procedural look-alikes of medical images in public layouts.

They stand in for data that may not be shipped, so that every command can be
tried and tested without a download. A number measured on phantoms says
nothing about patients.

  recipes   what a class looks like, as ranges of numbers
  fields    noise, cells, dots and strokes on a moving frame
  skin      a lesion's recipe painted as light through skin
  nuisance  hairs, rulers, gel bubbles and vignettes
  layout    the table and the folders of HAM10000
"""

from medxfer.data.phantom.layout import cached_ham10000
from medxfer.data.phantom.layout import smallest_ham10000
from medxfer.data.phantom.layout import VERSION
from medxfer.data.phantom.layout import write_ham10000

__all__ = [
    'VERSION',
    'cached_ham10000',
    'smallest_ham10000',
    'write_ham10000',
]
