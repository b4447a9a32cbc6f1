"""Protects messages: each names the flags of the command that says it."""

from collections.abc import Iterator
from typing import Any

import pytest

from medxfer import console
from medxfer import errors
from medxfer import flag_names
from medxfer import launcher
from medxfer.recipes import ham
from medxfer.recipes import table_7_1


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
  before = flag_names.current()
  yield
  flag_names.use(before)


def _of(config: Any) -> Any:
  return frozenset(launcher.keys(config))


_STUDY = {
    'seed': '--config.study.seeds',
    'model.init_from': '--config.study.source_run',
}
_MAIN = ({}, _of(ham.get_config('all')))


@pytest.mark.parametrize(
    'names, text, expected',
    [
        (
            _MAIN,
            'with --config.data.on_bad_image=skip',
            'with --config.data.on_bad_image=skip',
        ),
        (
            ({'data.on_bad_image': '--on_bad_image'}, frozenset()),
            'with --config.data.on_bad_image=skip',
            'with --on_bad_image=skip',
        ),
        (
            ({'data.dir': '--data_dir'}, frozenset()),
            'give --config.data.dir=DIR with images',
            'give --data_dir=DIR with images',
        ),
        (
            (_STUDY, _of(table_7_1.get_config())),
            'name it with --config.model.init_from=WORKDIR, or another '
            '--config.seed',
            'name it with --config.study.source_run=WORKDIR, or another '
            '--config.study.seeds',
        ),
        (
            (_STUDY, _of(table_7_1.get_config())),
            '--config.training.epochs=3',
            '--config.training.epochs=3',
        ),
        (
            (_STUDY, _of(table_7_1.get_config())),
            'try --config.model.trainable=all.',
            'try model.trainable=all (a key of the run, which this command '
            'does not change).',
        ),
        (
            ({'workdir': '--source'}, frozenset()),
            'give the --workdir of a run',
            'give the --source of a run',
        ),
        (
            ({}, frozenset()),
            'set --config.data.groups; or',
            'set data.groups (a key of the run, which this command does not '
            'change); or',
        ),
    ],
)
def test_a_message_names_what_the_command_has(
    names: tuple, text: str, expected: str
) -> None:
  """A flag that the command refuses is no way out."""
  flag_names.use(names)
  assert flag_names.here(text) == expected
  assert flag_names.here(flag_names.here(text)) == expected
  assert str(errors.DataError(text)) == expected


def test_lines_and_notes_do_too(capsys: pytest.CaptureFixture[str]) -> None:
  """What a run notes is read in evaluate as well."""
  flag_names.use(({}, frozenset()))
  console.line('--config.data.groups=FILE does')
  console.note('--config.data.groups=FILE does')
  said = capsys.readouterr()
  for text in said:
    assert 'data.groups=FILE (a key' in text and '--config' not in text
