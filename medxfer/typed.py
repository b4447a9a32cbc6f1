"""Dataclasses made of plain values, each checked against its annotation."""

from collections.abc import Callable
import dataclasses
import math
import types
import typing
from typing import Any
from typing import Literal

from medxfer import errors

Union = Callable[[Any, str], Any]


def build(cls: type, config: Any, prefix: str = '', *, union: Union) -> Any:
  """Returns a dataclass, and the dataclasses in it, from nested mappings.

  Args:
    cls: its fields are dataclasses, Literals of strings, tuples, plain types
      or unions.
    config: what `cls` holds, by name; fields with a default may be absent.
    prefix: of the keys in messages.
    union: (value, key) -> value, for fields that may be one or another.

  Raises:
    UsageError: a key is missing, unknown or has a value that is not allowed.
  """
  if not hasattr(config, 'items'):
    raise errors.UsageError(f'{prefix[:-1]} must be a group of keys')
  given, hints = dict(config.items()), typing.get_type_hints(cls)
  for key in given.keys() - hints.keys():
    raise errors.UsageError(
        f'unknown configuration key {prefix}{key}; allowed here: '
        f'{", ".join(hints)}'
    )
  for field in dataclasses.fields(cls):
    if field.name not in given and field.default is dataclasses.MISSING:
      raise errors.UsageError(
          f'configuration key {prefix}{field.name} is missing'
      )
  return cls(
      **{
          key: build(hint, given[key], f'{prefix}{key}.', union=union)
          if isinstance(hint, type) and dataclasses.is_dataclass(hint)
          else _value(hint, given[key], prefix + key, union)
          for key, hint in hints.items()
          if key in given
      }
  )


def require(holds: Any, key: str, value: Any, allowed: str) -> None:
  """Refuses a value: says what the key may be, unless `holds`."""
  if not holds:
    raise errors.UsageError(f'{key}={value!r} is not allowed: give {allowed}')


def _value(hint: Any, value: Any, key: str, union: Union) -> Any:
  """Returns `value` as the annotated type of `key`, or says what is allowed."""
  origin = typing.get_origin(hint)
  if origin is Literal:
    require(
        value in typing.get_args(hint),
        key,
        value,
        'one of ' + ', '.join(typing.get_args(hint)),
    )
  elif origin in (types.UnionType, typing.Union):
    return union(value, key)
  elif origin is tuple:
    return _tuple(hint, value, key, union)
  elif hint is float:
    require(
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and math.isfinite(value),
        key,
        value,
        'a finite number',
    )
    return float(value)
  else:
    require(type(value) is hint, key, value, hint.__name__)
  return value


def _tuple(hint: Any, value: Any, key: str, union: Union) -> tuple[Any, ...]:
  kinds = typing.get_args(hint)
  is_sequence = isinstance(value, (list, tuple))
  if kinds[1:] == (Ellipsis,):
    require(is_sequence, key, value, 'a list')
    kinds = (kinds[0],) * len(value)
  require(
      is_sequence and len(value) == len(kinds),
      key,
      value,
      f'{len(kinds)} values',
  )
  return tuple(
      _value(kind, item, key, union) for kind, item in zip(kinds, value)
  )
