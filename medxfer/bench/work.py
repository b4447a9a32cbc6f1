"""What a framework's `prepare(setting, ...)` returns."""

from collections.abc import Callable
import dataclasses


@dataclasses.dataclass(frozen=True)
class Work:
  """A framework, loaded and ready.

  Attributes:
    repeat: takes so many steps and waits for the last of them; in the mode
      `epoch`, `setting.EPOCHS` epochs whatever the number.
    loss: mean cross-entropy of the first batch before the first step, without
      dropout; frameworks that do the same work agree on it.
    version: of the framework.
    operations: floating-point operations of one step, where somebody counts.
    peak_bytes: the largest memory of the device so far; None where arrays
      live in the process.
  """

  repeat: Callable[[int], None]
  loss: float
  version: str
  operations: float | None = None
  peak_bytes: Callable[[], int] | None = None
