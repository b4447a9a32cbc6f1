"""Phantoms: procedural look-alikes of medical images in public layouts.

They stand in for data that may not be shipped, so that every command can be
tried and tested without a download. A number measured on phantoms says
nothing about patients.

  fields        noise, cells, dots and strokes on a moving frame
  recipes       what a class of skin lesion looks like, as ranges of numbers
  skin          a lesion's recipe painted as light through skin
  nuisance      hairs, rulers, gel bubbles and vignettes
  ham_layout    the table and the folders of HAM10000
  thorax        a child's chest painted as thickness
  opacities     what pneumonia adds to the lungs
  film          thickness exposed as a radiograph
  chest_layout  the folders and names of the chest X-rays
  writing       what both layouts share
  kinds         the data sets that have phantoms, by name
"""

from medxfer.data.phantom.chest_layout import smallest_chest_xray
from medxfer.data.phantom.chest_layout import write_chest_xray
from medxfer.data.phantom.ham_layout import smallest_ham10000
from medxfer.data.phantom.ham_layout import write_ham10000
from medxfer.data.phantom.kinds import cached
from medxfer.data.phantom.kinds import of

__all__ = [
    'cached',
    'of',
    'smallest_chest_xray',
    'smallest_ham10000',
    'write_chest_xray',
    'write_ham10000',
]
