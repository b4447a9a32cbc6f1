"""Draws what a layer of VGG-16 makes of images.

See `medxfer/commands/activations.py`.
"""

from medxfer import launcher
from medxfer.commands import activations

if __name__ == '__main__':
  launcher.run(activations)
