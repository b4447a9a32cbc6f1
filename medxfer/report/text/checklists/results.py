"""What a report can say of numbers, subgroups and places.

Each function returns what is known and where it stands, or '' if
nothing is.
"""

from medxfer.report.text.checklists import about as about_lib


def metrics(about: about_lib.About) -> str:
  """What is computed."""
  found = 'accuracy, F1, balanced accuracy, AUROC, ECE, Brier score'
  test = about.first.summary['test']
  extra = ', sensitivity, specificity, PPV and NPV'
  return found + (extra if test.get('per_class') else '')


def uncertainty(about: about_lib.About) -> str:
  """How sure the numbers are."""
  test = about.first.summary['test']
  found = (
      f'{100 * test["level"]:g} % intervals by '
      f'{test.get("resampled_by", "image")}'
  )
  if len(about.runs) > 1:
    found += f', {len(about.runs)} seeds'
  if len(about.setting.networks) > 1:
    found += '; paired tests, corrected by Holm'
  return found


def robustness(about: about_lib.About) -> str:
  """What else was tried."""
  run = about.first
  found = [
      f'{len(about.runs)} seeds' if len(about.runs) > 1 else '',
      f'{len(run.folds)} folds' if run.folds else '',
      'subgroups' if subgroups(about) else '',
      'each source left out' if about.centres else '',
      'without copies' if run.summary.get('test_without_copies') else '',
  ]
  return ', '.join(filter(None, found))


def explanations(about: about_lib.About) -> str:
  """Heat maps."""
  if not about.is_drawn:
    return ''
  return 'Grad-CAM of right and wrong predictions ("What the networks see")'


def internal(about: about_lib.About) -> str:
  """The test images."""
  return f'{about.first.summary["test"]["n"]:,} test images (tables)'


def external(about: about_lib.About) -> str:
  """Images from elsewhere."""
  return ', '.join(
      f'{found["n"]:,} images of {found["name"]}'
      for found in about.first.external
  )


def differences(about: about_lib.About) -> str:
  """How a place differs in its classes."""
  return (
      'fractions of the classes there (table of places)'
      if about.first.external
      else ''
  )


def updating(about: about_lib.About) -> str:
  """What changes for another place."""
  return (
      'adjusted to the fractions of the classes there, and a threshold of '
      'its own (table of places)'
      if about.first.external
      else ''
  )


def subgroups(about: about_lib.About) -> str:
  """By what the test images are divided."""
  found = about.first.summary.get('subgroups') or {}
  names = ', '.join(found.get('columns') or ())
  return (
      f'accuracy and sensitivity by {names} (table of subgroups)'
      if (names)
      else ''
  )


def heterogeneity(about: about_lib.About) -> str:
  """How scores differ between places."""
  found = external(about)
  centres = ', '.join(about.centres)
  return '; '.join(
      filter(
          None,
          (
              f'{found} (table of places)' if found else '',
              f'tested on {centres}, each left out of training (table of '
              'sources)'
              if centres
              else '',
          ),
      )
  )


def performance(about: about_lib.About) -> str:
  """Where the numbers are."""
  divided = '; of subgroups' if subgroups(about) else ''
  return f'tables, with intervals{divided}'


def diagnostic(about: about_lib.About) -> str:
  """Where the rates of each class are."""
  if not about.first.summary['test'].get('per_class'):
    return ''
  return (
      'sensitivity, specificity, PPV and NPV of each class, with intervals '
      '(table of predictions by class)'
  )


def failures(about: about_lib.About) -> str:
  """What goes wrong."""
  found = 'confusion matrix'
  if about.is_drawn:
    found += ', and the surest wrong predictions in pictures'
  return found
