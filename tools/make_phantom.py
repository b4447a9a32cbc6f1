"""Writes procedural look-alikes of a data set, in its public layout.

See `medxfer/commands/make_phantom.py`.
"""

from medxfer import launcher
from medxfer.commands import make_phantom

if __name__ == '__main__':
  launcher.run(make_phantom)
