"""What the checklists of a data set speak of."""

import dataclasses

from medxfer.report.read import finished_run
from medxfer.report.read import settings as settings_lib


@dataclasses.dataclass(frozen=True, eq=False)
class About:
  """The classifier that stands for a data set, and what else was tested.

  Attributes:
    column: the classifier.
    setting: its table.
    centres: sources of the data set that tested networks of the others.
    is_drawn: whether the page has pictures of what its networks see.
  """

  column: settings_lib.Column
  setting: settings_lib.Setting
  centres: tuple[str, ...]
  is_drawn: bool

  @property
  def first(self) -> finished_run.Run:
    """Its run with the lowest seed."""
    return self.column.first

  @property
  def runs(self) -> tuple[finished_run.Run, ...]:
    """Its runs, a seed each."""
    return self.column.runs
