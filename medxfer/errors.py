"""The two ways a person's input can be wrong, and what to exit with.

Every message is whole on its own: it names the file, key or row and says the
way out. Launchers print it and exit with the status; nothing else may catch
these errors in order to carry on silently.
"""

from medxfer import flag_names


class MedxferError(ValueError):
  """Base of the errors that end a command without a traceback.

  A ValueError, as Python programs expect of a wrong argument.
  """

  exit_status = 1

  def __str__(self) -> str:
    """Returns the message, with the flags of the command that runs."""
    return flag_names.here(super().__str__())


class UsageError(MedxferError):
  """A flag, arm, modifier, key, block or pattern that does not exist."""

  exit_status = 2


class DataError(MedxferError):
  """Files that are missing, damaged or not what they claim to be."""

  exit_status = 1
