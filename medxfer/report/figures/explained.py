"""What a network sees: figure 8.1, and Grad-CAM of right and wrong.

That needs what a workdir alone does not hold or need not keep: a checkpoint,
and the images where the run read them. What is missing is said.
"""

from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses

from medxfer import errors
from medxfer.report.figures import pictures as pictures_lib
from medxfer.report.read import finished_run
from medxfer.report.read import settings as settings_lib
from medxfer.report.read import titles
from medxfer.runs import workdir


@dataclasses.dataclass(frozen=True, eq=False)
class Explained:
  """What the networks see.

  Attributes:
    pictures: of all data sets.
    missing: a sentence for each data set without them.
    datasets: those with them.
  """

  pictures: tuple[pictures_lib.Picture, ...]
  missing: tuple[str, ...]
  datasets: tuple[finished_run.Dataset, ...]


def explain(settings: Iterable[settings_lib.Setting]) -> Explained:
  """Looks through the networks of each setting.

  Args:
    settings: at most one per data set.
  """
  drawn, missing, datasets = [], [], []
  for setting in settings:
    title = titles.dataset_title(setting.dataset)
    try:
      drawn += _drawn(setting)
      datasets.append(setting.dataset)
    except (errors.MedxferError, OSError) as error:
      missing.append(
          f'{title}: no Grad-CAM and no activations, because {error}.'
      )
  return Explained(tuple(drawn), tuple(missing), tuple(datasets))


def _drawn(setting: settings_lib.Setting) -> Sequence[pictures_lib.Picture]:
  column = setting.pretrained or setting.networks[0]
  shown = [column, setting.random] if setting.random else [column]
  for run in (column.first for column in shown):
    if not workdir.Workdir(run.path).checkpoints.is_dir():
      raise errors.DataError(f'{run.name} keeps no {workdir.CHECKPOINTS}')
  # JAX and TensorFlow take seconds to load: only if there is something to see.
  from medxfer.report.figures import explanations

  return explanations.draw(setting, column)
