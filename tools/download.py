"""Fetches a data set from its public repository; nothing else does.

See `medxfer/commands/download.py`.
"""

from medxfer import launcher
from medxfer.commands import download

if __name__ == '__main__':
  launcher.run(download)
