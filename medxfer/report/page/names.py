"""The file names of the tables and figures of a report."""

from collections.abc import Callable
from collections.abc import Sequence

from medxfer.report.read import finished_run
from medxfer.report.read import layer_studies
from medxfer.report.read import settings as settings_lib
from medxfer.report.read import thesis
from medxfer.report.read import titles


class Names:
  """Gives every table and figure of a report a file name of its own."""

  def __init__(self, settings: Sequence[settings_lib.Setting]):
    self._settings = settings
    self._taken: set[str] = set()

  def free(self, name: str) -> str:
    """Returns the name, with a number if it is taken."""
    number, wanted = 1, name
    while name in self._taken:
      number += 1
      name = f'{wanted}_{number}'
    self._taken.add(name)
    return name

  def classes(self, dataset: finished_run.Dataset) -> str:
    """Returns the name of a data set's class distribution."""
    known = thesis.table(dataset.name)
    if known:
      return self.free(f'figure_{known.figure.replace(".", "_")}')
    return self.free(f'classes_{titles.slug(dataset.folder or dataset.name)}')

  def study(self, study: layer_studies.LayerStudy) -> Callable[[str], str]:
    """Returns stem -> name of a file of a study."""
    tail = titles.slug(study.name)
    return lambda stem: self.free(f'{stem}_{tail}')

  def setting(self, setting: settings_lib.Setting, stem: str = '') -> str:
    """Returns the name of a setting's table, or of what goes with it.

    The only table of its data set is `table_7_1` or `table_7_2`; of several,
    each also tells its setting.
    """
    dataset = setting.dataset
    known = thesis.table(dataset.name)
    base = (
        known.number.replace('.', '_')
        if known
        else titles.slug(dataset.folder or dataset.name)
    )
    alike = [
        s
        for s in self._settings
        if s.dataset.name == dataset.name and s.dataset.folder == dataset.folder
    ]
    tail = f'_{setting.slug}' if len(alike) > 1 else ''
    return self.free(f'{stem or "table"}_{base}{tail}')
