"""Compares two runs on the test images that they share.

See `medxfer/commands/compare.py`.
"""

from medxfer import launcher
from medxfer.commands import compare

if __name__ == '__main__':
  launcher.run(compare)
