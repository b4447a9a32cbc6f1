"""What a report can say of images, subsets and classes.

Each function returns what is known and where it stands, or '' if
nothing is.
"""

from medxfer.data import registry
from medxfer.report.read import titles
from medxfer.report.text import leaks
from medxfer.report.text.checklists import about as about_lib


def sources(about: about_lib.About) -> str:
  """The data set, and those from elsewhere."""
  elsewhere = ''.join(
      f'; from elsewhere: {found["name"]}' for found in about.first.external
  )
  return f'{titles.dataset_title(about.first.dataset)}{elsewhere} (config.json)'


def left_out(about: about_lib.About) -> str:
  """How many files were not used, and why."""
  count = len(about.first.left_out)
  if not count:
    return 'no image was left out'
  return f'{count:,} files were left out, each with its reason (skipped.csv)'


def preprocessing(about: about_lib.About) -> str:
  """Size and scale of the pixels."""
  spec = about.first.spec
  height, width = spec.data.image_size
  scale = (
      f'baseline.pixels={spec.baseline.pixels}'
      if about.first.is_baseline
      else f'model.preprocessing={spec.model.preprocessing}'
  )
  return f'images of {height}×{width} pixels, {scale} (config.json)'


def predictors(about: about_lib.About) -> str:
  """The pixels, and nothing else."""
  return 'the pixels of one image alone'


def limit(about: about_lib.About) -> str:
  """Whether some images alone were learned from."""
  count = about.first.spec.data.limit
  return (
      f'{count:,} images to train and validate on, drawn by seed (data.limit)'
      if count
      else 'all images of the data set'
  )


def missing(about: about_lib.About) -> str:
  """What became of unreadable images."""
  if about.first.spec.data.on_bad_image == 'fail':
    return 'an unreadable image would have ended the run: there was none'
  return 'unreadable images were left out and listed (skipped.csv)'


def partition(about: about_lib.About) -> str:
  """The split, and the seeds that dealt it."""
  run = about.first
  seeds = sorted(
      {
          one.spec.seed
          if one.spec.data.split_seed < 0
          else one.spec.data.split_seed
          for one in about.runs
      }
  )
  return (
      f'{titles.split_title(run.dataset, run.split)}; seed '
      f'{", ".join(map(str, seeds))} (split.csv names the subset of each image)'
  )


def disjoint(about: about_lib.About) -> str:
  """What test and training images do not share."""
  leak = leaks.worst(about.runs)
  unit = registry.get(about.first.dataset.name).group
  if leak.share is None:
    return f'image; which images are of one {unit} is not known'
  if leak.share == 0:
    return f'{unit}: no test image shares its {unit} with a training image'
  return (
      f'image: {100 * leak.share:.1f} % of the test images share their {unit} '
      'with a training image'
  )


def sizes(about: about_lib.About) -> str:
  """Images of each subset."""
  counts = about.first.summary['n']
  found = ', '.join(
      f'{counts[name]:,} {title}'
      for name, title in (
          ('train', 'training'),
          ('val', 'validation'),
          ('test', 'test'),
      )
      if counts.get(name)
  )
  folds = len(about.first.folds)
  each = f' (of the first of {folds} folds; each image tests once)'
  return (
      f'{found} images{each if folds else ""}; of each class in the figure of '
      'the data set'
  )


def classes(about: about_lib.About) -> str:
  """What is told apart."""
  return f'one of {", ".join(about.first.dataset.class_names)}'
