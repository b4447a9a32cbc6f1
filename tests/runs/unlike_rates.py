"""Measures which images a run calls unlike its training images.

    python -m tests.runs.unlike_rates --workdir=RUN --output=JSON FOLDER...

For the test images of the run, and for the images below each folder (at most
`MOST`, drawn at random): their number, the median of `unlike_training`, the
fraction above the limit, and the AUROC by which it tells them from the test
images. `NEIGHBOURS` are tried; medxfer itself takes one of them.
"""

import argparse
from collections.abc import Sequence
import json
import pathlib
from typing import Any

import numpy as np
from sklearn import metrics

from medxfer import classifier
from medxfer.data import datasets
from medxfer.evaluation import neighbours
from medxfer.runs import workdir

MOST = 1000
NEIGHBOURS = (1, 10, 50)


def features(
    run: classifier.Classifier, paths: Sequence[pathlib.Path]
) -> np.ndarray:
  """Returns the features of images, as a run keeps those of its own."""
  last = run.architecture.activations[-1]
  found = [
      run.activations(list(paths[first : first + 200]), last).mean((1, 2))
      for first in range(0, len(paths), 200)
  ]
  return np.concatenate(found)


def main() -> None:
  """Measures, and writes one file."""
  parser = argparse.ArgumentParser()
  parser.add_argument('--workdir', type=pathlib.Path, required=True)
  parser.add_argument('--output', type=pathlib.Path, required=True)
  parser.add_argument('folders', type=pathlib.Path, nargs='+')
  args = parser.parse_args()
  run = classifier.load(args.workdir)
  folder = workdir.Workdir(args.workdir)
  examples = datasets.read(run.spec.data)
  places = dict(zip(examples.image_ids, examples.paths))
  rows = folder.split()
  subset = lambda name: [places[row[0]] for row in rows if row[3] == name]
  reference = folder.reference()
  assert reference is not None
  images = {'test': subset('test')}
  for place in args.folders:
    found = sorted(
        path
        for path in place.rglob('*')
        if path.suffix in ('.jpg', '.jpeg', '.png')
    )
    order = np.random.default_rng(0).permutation(len(found))[:MOST]
    images[place.name] = [found[i] for i in sorted(order)]
  each = {name: features(run, paths) for name, paths in images.items()}
  val = features(run, subset('val'))
  answer: dict[str, Any] = {'limit': neighbours.UNLIKE, 'neighbours': {}}
  kept = neighbours.NEIGHBOUR
  for k in NEIGHBOURS:
    neighbours.NEIGHBOUR = k
    again = neighbours.Reference.of(reference.train, val)
    unlike = {name: again.percentiles(one) for name, one in each.items()}
    answer['neighbours'][f'{k}'] = {
        name: {
            'n': len(found),
            'median': float(np.median(found)),
            'above': float((found > neighbours.UNLIKE).mean()),
            'auroc': float(
                metrics.roc_auc_score(
                    np.r_[np.zeros(len(unlike['test'])), np.ones(len(found))],
                    np.r_[unlike['test'], found],
                )
            ),
        }
        for name, found in unlike.items()
    }
  neighbours.NEIGHBOUR = kept
  args.output.parent.mkdir(parents=True, exist_ok=True)
  args.output.write_text(json.dumps(answer, indent=2) + '\n')


if __name__ == '__main__':
  main()
