"""Recomputes the numbers of a run from its best checkpoint.

See `medxfer/commands/evaluate.py`.
"""

from medxfer import launcher
from medxfer.commands import evaluate

if __name__ == '__main__':
  launcher.run(evaluate)
