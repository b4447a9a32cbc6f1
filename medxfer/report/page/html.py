"""The page: one file that asks nothing of a network or a server."""

import base64
import hashlib
import importlib.resources
import io

import jinja2
import markupsafe
import numpy as np
from PIL import Image

from medxfer.report.figures import style
from medxfer.report.page import contents as contents_lib
from medxfer.report.read import titles

GENERATOR = 'medxfer report'
_TEMPLATES = importlib.resources.files('medxfer.report.page') / 'templates'


def html(contents: contents_lib.Contents) -> str:
  """Returns the page; every name that came from data is escaped."""
  script = (_TEMPLATES / 'report.js').read_text('utf-8')
  environment = jinja2.Environment(
      loader=jinja2.FunctionLoader(
          lambda name: (_TEMPLATES / name).read_text('utf-8')
      ),
      autoescape=True,
      undefined=jinja2.StrictUndefined,
      trim_blocks=True,
      lstrip_blocks=True,
  )
  environment.filters.update(svg=_svg, data=_data, shown=_shown, slug=_slug)
  return environment.get_template('report.html').render(
      contents=contents,
      generator=GENERATOR,
      title=_title(contents),
      # The page's own script and style, not data: the only raw text but SVG.
      style=markupsafe.Markup((_TEMPLATES / 'report.css').read_text('utf-8')),
      script=markupsafe.Markup(script),
      script_digest=_digest(script),
  )


def _digest(script: str) -> str:
  """Returns what a content security policy calls this script."""
  return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _title(contents: contents_lib.Contents) -> str:
  found = [
      *(section.dataset for section in contents.advices),
      *(chapter.title for chapter in contents.chapters),
  ]
  return ', '.join(dict.fromkeys(found)) or 'Layers that transfer'


def _svg(chart: style.Chart) -> markupsafe.Markup:
  """Returns a drawing for the page; Matplotlib has escaped its text."""
  return markupsafe.Markup(style.inline(chart.svg, chart.name))


def _data(pixels: np.ndarray) -> str:
  """Returns a picture as the address of an image."""
  file = io.BytesIO()
  Image.fromarray(pixels).save(file, format='PNG', optimize=True)
  return f'data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}'


def _shown(text: str) -> str:
  """Returns a text whose control and direction marks are made visible."""
  return ''.join(c if c.isprintable() else '�' for c in text)


def _slug(text: str) -> str:
  return titles.slug(text)
