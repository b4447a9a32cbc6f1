"""Measures throughput beside PyTorch and Keras: same work, same machine.

See `medxfer/bench/__main__.py`.
"""

from medxfer import launcher
from medxfer.bench import __main__ as bench

if __name__ == '__main__':
  launcher.run(bench)
