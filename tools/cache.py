"""Shows what the cache holds, and removes what is not needed.

See `medxfer/commands/cache.py`.
"""

from medxfer import launcher
from medxfer.commands import cache

if __name__ == '__main__':
  launcher.run(cache)
