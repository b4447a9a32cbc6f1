"""The work in PyTorch, by its own performance guide.

Channels last, gradients of what trains alone, the frozen layers below under
`no_grad`, fused AdamW, `torch.compile` where it is asked for, autocast for
bfloat16; https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html
"""

from collections.abc import Callable

import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]
from torch.nn import functional  # pyright: ignore[reportMissingImports]

from medxfer.bench import setting as settings
from medxfer.bench import work
from medxfer.model import trainable
from medxfer.model import weights as weights_lib

_MEANS_BGR = (103.939, 116.779, 123.68)


class VGG16(nn.Module):
  """VGG-16 and the head of the thesis; uint8 [n, h, w, 3] in, logits out."""

  def __init__(self, setting: settings.Setting):
    super().__init__()
    self.convolutions = nn.ModuleDict()
    channels = 3
    for name in settings.ARCHITECTURE.convolutions:
      self.convolutions[name] = nn.Conv2d(
          channels, settings.ARCHITECTURE.channels[name], 3, padding=1
      )
      channels = settings.ARCHITECTURE.channels[name]
    self.dense = nn.ModuleDict(
        {
            name: nn.Linear(*leaves['kernel'].shape)
            for name, leaves in settings.head(setting).items()
        }
    )
    self.register_buffer(
        'means', torch.tensor(_MEANS_BGR).view(1, 3, 1, 1), persistent=False
    )
    trained = trainable.resolve(
        settings.MODES[setting.mode] or 'all', settings.ARCHITECTURE
    )
    self.frozen = settings.ARCHITECTURE.layers[
        : settings.ARCHITECTURE.layers.index(trained[0])
    ]
    for name, parameter in self.named_parameters():
      parameter.requires_grad = name.split('.')[1] in trained

  def forward(self, pixels: torch.Tensor) -> torch.Tensor:
    """Returns logits, float32 [n, classes]."""
    x = pixels.permute(0, 3, 1, 2)
    x = x.float().flip(1) - self.means
    for block, names in settings.ARCHITECTURE.blocks.items():
      for name in names:
        with torch.set_grad_enabled(
            torch.is_grad_enabled() and name not in self.frozen
        ):
          x = functional.relu(self.convolutions[name](x))
      x = functional.max_pool2d(x, 2)
    # In the order of the other frameworks: height, width, channel.
    x = x.permute(0, 2, 3, 1).flatten(1)
    for name in settings.ARCHITECTURE.head[:-1]:
      x = functional.relu(self.dense[name](x))
      x = functional.dropout(x, settings.DROPOUT, self.training)
    return self.dense[settings.ARCHITECTURE.head[-1]](x).float()


def prepare(setting: settings.Setting, *, compiled: bool) -> work.Work:
  """Returns the work of a setting."""
  torch.set_num_threads(setting.threads)
  device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
  if device.type == 'cuda':
    torch.backends.cudnn.benchmark = True
  network = VGG16(setting)
  _load(network, setting)
  network = network.to(device, memory_format=torch.channels_last)
  images, labels = (
      torch.from_numpy(a).to(device) for a in settings.pixels(setting)
  )
  labels = labels.long()
  loss = _loss(network, images, labels)
  step = torch.compile(network) if compiled else network
  cast = torch.autocast(
      device.type, torch.bfloat16, enabled=setting.precision == 'bfloat16'
  )
  make = {'forward': _forward, 'epoch': _epochs}.get(setting.mode, _train)
  return work.Work(
      repeat=make(setting, network, step, cast, images, labels),
      loss=loss,
      version=f'torch {torch.__version__}',
      peak_bytes=torch.cuda.max_memory_allocated
      if device.type == 'cuda'
      else None,
  )


def _load(network: VGG16, setting: settings.Setting) -> None:
  params = weights_lib.read(
      weights_lib.locate(None, settings.ARCHITECTURE), settings.ARCHITECTURE
  ).params
  with torch.no_grad():
    for name in settings.ARCHITECTURE.convolutions:
      kernel = torch.from_numpy(params[name]['kernel'].copy())
      network.convolutions[name].weight.copy_(kernel.permute(3, 2, 0, 1))
      network.convolutions[name].bias.copy_(
          torch.from_numpy(params[name]['bias'].copy())
      )
    for name, leaves in settings.head(setting).items():
      network.dense[name].weight.copy_(torch.from_numpy(leaves['kernel'].T))
      network.dense[name].bias.copy_(torch.from_numpy(leaves['bias']))


def _loss(network: VGG16, images: torch.Tensor, labels: torch.Tensor) -> float:
  with torch.no_grad():
    return float(functional.cross_entropy(network.eval()(images), labels))


def _wait() -> None:
  if torch.cuda.is_available():
    torch.cuda.synchronize()


def _forward(setting, network, step, cast, images, labels):
  del network, labels

  def repeat(steps: int) -> None:
    with torch.inference_mode(), cast:
      for _ in range(steps):
        step(images)
    _wait()

  return repeat


def _take_step(step, optimizer, cast, images, labels) -> None:
  optimizer.zero_grad(set_to_none=True)
  with cast:
    loss = functional.cross_entropy(step(images), labels)
  loss.backward()
  optimizer.step()


def _optimizer(network: VGG16) -> torch.optim.Optimizer:
  return torch.optim.AdamW(
      [p for p in network.parameters() if p.requires_grad],
      lr=settings.LEARNING_RATE,
      weight_decay=settings.WEIGHT_DECAY,
      fused=True,
  )


def _train(setting, network, step, cast, images, labels):
  optimizer = _optimizer(network.train())

  def repeat(steps: int) -> None:
    for _ in range(steps):
      _take_step(step, optimizer, cast, images, labels)
    _wait()

  return repeat


def _epochs(
    setting: settings.Setting, network: VGG16, step, cast, images, labels
) -> Callable[[int], None]:
  """Whole epochs through a DataLoader, as the tutorials have it."""
  dataset = _Folder(setting)
  loader = torch.utils.data.DataLoader(
      dataset,
      setting.batch_size,
      shuffle=True,
      num_workers=setting.threads,
      persistent_workers=True,
      pin_memory=images.is_cuda,
  )
  optimizer = _optimizer(network.train())

  def repeat(steps: int) -> None:
    del steps
    for _ in range(settings.EPOCHS):
      for pixels, targets in loader:
        _take_step(
            step,
            optimizer,
            cast,
            pixels.to(images.device, non_blocking=True),
            targets.to(labels.device, non_blocking=True),
        )
    _wait()

  return repeat


class _Folder(torch.utils.data.Dataset):
  """Class folders, decoded and resized by Pillow; `ImageFolder`'s work."""

  def __init__(self, setting: settings.Setting):
    self._side = setting.image_size
    self._files = settings.files(setting.folder)

  def __len__(self) -> int:
    return len(self._files)

  def __getitem__(self, row: int):
    path, label = self._files[row]
    return settings.read_image(path, self._side), label
