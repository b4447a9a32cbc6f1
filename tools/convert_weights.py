"""Converts weights between Keras, runs and medxfer, and exports networks.

See `medxfer/commands/convert_weights.py`.
"""

from medxfer import launcher
from medxfer.commands import convert_weights

if __name__ == '__main__':
  launcher.run(convert_weights)
