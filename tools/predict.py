"""Classifies images with the best checkpoint of a run.

See `medxfer/commands/predict.py`.
"""

from medxfer import launcher
from medxfer.commands import predict

if __name__ == '__main__':
  launcher.run(predict)
