"""Draws the activations of a layer, for one or several sets of weights."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import functools
import pathlib

import jax
import jax.numpy as jnp
import numpy as np

from medxfer import classifier
from medxfer import files
from medxfer.data import arrays
from medxfer.explain import activation_maps
from medxfer.explain import pictures
from medxfer.model import architectures
from medxfer.model import initialization
from medxfer.model import params as params_lib
from medxfer.model import preprocessing
from medxfer.model import vgg
from medxfer.model import weights as weights_lib
from medxfer.runs import explain
from medxfer.runs import predict
from medxfer.runs import value_ranges
from medxfer.runs import workdir

_HEADER = ('image', 'file')
_COLUMNS = 8
_DEFAULT_SIZE = 224  # Of ImageNet's images, and of the thesis.

# Caption -> weights; None is random ones.
_Found = dict[str, weights_lib.Weights | None]
# Pixels, uint8 [height, width, 3] -> activation, [h, w, channels].
_Look = Callable[[np.ndarray], np.ndarray]


def draw(
    sources: Sequence[pathlib.Path],
    *,
    output: pathlib.Path,
    layer: str | None = None,
    channels: int = 16,
    run: pathlib.Path | None = None,
    starts: Sequence[str] = (),
    size: int | None = None,
) -> None:
  """Writes a picture of each image: its mean activations, then channels.

  Args:
    sources: images, and folders that stand for the images below them.
    output: the folder to write; absent or empty.
    layer: a convolution or a pooling; None is the first convolution.
    channels: how many channels to draw for each set of weights, those that
      the image excites most.
    run: workdir of a run whose weights to draw with, or None.
    starts: 'imagenet', 'random': other weights to draw with.
    size: side of the square that images are squeezed into; None is the size
      of the run, and 224 pixels without one.

  Raises:
    DataError: an image, a checkpoint or the ImageNet weights cannot be read.
    UsageError: a name or the layer does not exist, `output` holds something,
      or the run is a baseline, which keeps no weights.
  """
  files.check_free(output)
  if run:
    workdir.Workdir(run).spec()  # A folder that is no run, before any image.
  names = predict.image_files(sources)
  found: _Found = {}
  side = size or _DEFAULT_SIZE
  image_size, grey_range = (side, side), None
  architecture = architectures.BY_NAME['vgg16']  # Without a run.
  if run:
    trained = classifier.load(run)
    found['run'], architecture = trained.network.weights, trained.architecture
    image_size = image_size if size else trained.image_size
    grey_range = trained.grey_range
  warn = value_ranges.warner(grey_range)
  if 'imagenet' in starts:
    found['ImageNet'] = weights_lib.read(
        weights_lib.locate(None, architecture), architecture
    )
  if 'random' in starts:
    found['random'] = None
  looks = _looks(
      found, architecture, layer or architecture.activations[0], image_size
  )
  index = []
  with files.staged_folder(output) as stage:
    for number, name in enumerate(names, start=1):
      notice = functools.partial(warn, name) if run else None
      pixels = arrays.sized(name, f'{name}', image_size, grey_range, notice)
      file = explain.file_name(number, name)
      pictures.write(stage / file, _sheet(name, pixels, looks, channels))
      index.append((files.name_of(name), file))
    files.write_table(stage / explain.INDEX, _HEADER, index)


def _looks(
    found: _Found,
    architecture: architectures.Architecture,
    layer: str,
    image_size: tuple[int, int],
) -> dict[str, _Look]:
  """Returns a function from pixels to activations for each set of weights."""
  # The head is never computed: all that matters is that it is small.
  model = vgg.VGG(architecture=architecture, classes=1, head_units=(1, 1))
  activate = activation_maps.compile_activations(model, layer)
  # Random weights are shown the pixels of those that they are compared with.
  modes = [w.contract.preprocessing for w in found.values() if w]

  def look(
      params: params_lib.Params, mode: str, pixels: np.ndarray
  ) -> np.ndarray:
    batch = preprocessing.preprocess(jnp.asarray(pixels)[None], mode)
    return np.asarray(activate(params, batch))[0]

  return {
      caption: functools.partial(
          look,
          initialization.initial_params(
              model,
              image_size,
              jax.random.key(0),
              weights.params if weights else None,
          ),
          weights.contract.preprocessing if weights else [*modes, 'caffe'][0],
      )
      for caption, weights in found.items()
  }


def _sheet(
    name: pathlib.Path,
    pixels: np.ndarray,
    looks: Mapping[str, _Look],
    channels: int,
) -> np.ndarray:
  """Returns the image and its mean maps, above a grid of channels for each."""
  image = pictures.enlarged(pixels)
  large = image.shape[:2]
  small = (large[0] // 2, large[1] // 2)
  top, captions, grids = [image], [name.stem], []
  for caption, look in looks.items():
    activation = look(pixels)
    mean = pictures.stretched(activation_maps.mean_map(activation))
    top.append(pictures.coloured(mean, large))
    captions.append(f'{caption}: mean of {activation.shape[-1]}')
    chosen = activation_maps.strongest(activation, channels)
    grids.append(
        pictures.tile(
            [
                pictures.coloured(pictures.stretched(activation[..., i]), small)
                for i in chosen
            ],
            [f'{caption} {i}' for i in chosen],
            columns=_COLUMNS,
        )
    )
  return pictures.stack(
      [pictures.tile(top, captions, columns=len(top)), *grids]
  )
