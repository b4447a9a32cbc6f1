"""The operating points of a run, as its specification asks for them."""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from medxfer import errors
from medxfer import spec as specs
from medxfer.evaluation import measure
from medxfer.evaluation import operating_points
from medxfer.evaluation import predictions as predictions_lib

KEY = 'operating_points'  # In summary.json.


def check(spec: specs.EvaluationSpec, class_names: Sequence[str]) -> None:
  """Refuses operating points and prevalences that cannot be.

  Raises:
    UsageError: a value has another form, or names no class.
  """
  asked(spec)
  prevalence(spec, class_names, class_names[-1])


def asked(spec: specs.EvaluationSpec) -> tuple[tuple[str, float], ...]:
  """Returns (rate, least value) of each operating point.

  Raises:
    UsageError: the key has another form.
  """
  found = []
  for part in spec.at.split(',') if spec.at.strip() else ():
    rate, _, least = (side.strip() for side in part.partition('='))
    number = _fraction(least)
    if rate not in operating_points.RATES or number is None:
      raise errors.UsageError(
          f'evaluation.at={spec.at!r}: {part.strip()!r} is not allowed; give '
          'sensitivity=X or specificity=X with X above 0 and below 1, such as '
          "'specificity=0.9,sensitivity=0.95'"
      )
    found.append((rate, number))
  return tuple(found)


def prevalence(
    spec: specs.EvaluationSpec, class_names: Sequence[str], positive: str
) -> dict[str, float]:
  """Returns class -> how common it is where the network is to be used.

  Args:
    spec: of the evaluation.
    class_names: k names.
    positive: the class that a bare number is of, with two classes.

  Raises:
    UsageError: the key has another form, or names no class.
  """
  text, found = spec.prevalence.strip(), {}
  for part in text.split(',') if text else ():
    name, equals, number = (side.strip() for side in part.rpartition('='))
    if not equals and len(class_names) == 2:
      name = positive
    value = _fraction(number)
    if name not in class_names or value is None or name in found:
      raise errors.UsageError(
          f'evaluation.prevalence={text!r}: {part.strip()!r} is not allowed; '
          'give CLASS=X once for each class, with X above 0 and below 1'
          + (', or one X for the positive one' * (len(class_names) == 2))
          + f'; the classes are {", ".join(class_names)}'
      )
    found[name] = value
  return found


def measures(
    spec: specs.EvaluationSpec,
    val: predictions_lib.Predictions,
    test: predictions_lib.Predictions,
    positive: str | None,
) -> list[dict[str, Any]]:
  """Returns `operating_points.measures` as a run asks for them.

  Args:
    spec: of the evaluation.
    val: scored validation images.
    test: scored test images.
    positive: the positive one of two classes; None of more, where each is
      told from the rest.
  """
  names = test.class_names
  return operating_points.measures(
      val,
      test,
      asked(spec),
      [positive] if positive else names,
      prevalence(spec, names, positive or names[-1]),
  )


def sentences(found: Sequence[Mapping[str, Any]] | None) -> Iterator[str]:
  """Yields what each operating point comes to.

  Args:
    found: what `measures` returns.
  """
  for point in found or ():
    head = f'{point["class"]} at a {point["rate"]} of {point["at_least"]:g}'
    if point['threshold'] is None:
      yield f'{head}: cannot be reached on validation images.'
      continue
    shown = ', '.join(
        f'{title} {measure.Measure.among(point, key).text()}'
        for key, title in (
            ('sensitivity', 'sensitivity'),
            ('specificity', 'specificity'),
            ('ppv', 'PPV'),
            ('npv', 'NPV'),
        )
    )
    text = f'{head} (threshold {point["threshold"]:.4g}): {shown}'
    if 'prevalence' in point:
      text += (
          f'; where {100 * point["prevalence"]:g} % have it, PPV '
          f'{measure.Measure.among(point, "ppv_there").text()}'
      )
    yield f'{text}.'


def _fraction(text: str) -> float | None:
  try:
    number = float(text)
  except ValueError:
    return None
  return number if 0 < number < 1 else None
