from medxfer.api import compare as compare
from medxfer.api import train as train
from medxfer.classifier import Classifier as Classifier
from medxfer.ensemble import load as load

__version__: str
