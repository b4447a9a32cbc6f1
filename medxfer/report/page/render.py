"""A table as Markdown, CSV and LaTeX; names from data stay names."""

import csv
import io
import re

from medxfer.report.text import tables

_MARKDOWN = re.compile(r'([\\`*_\[\]|~])')
_HTML = str.maketrans({'&': '&amp;', '<': '&lt;', '>': '&gt;'})
_LATEX = {
    '\\': r'\textbackslash{}',
    '~': r'\textasciitilde{}',
    '^': r'\textasciicircum{}',
    '<': r'\textless{}',
    '>': r'\textgreater{}',
    '|': r'\textbar{}',
    '"': r'\textquotedbl{}',
    **{c: f'\\{c}' for c in '&%$#_{}'},
    '–': '--',
    '−': '$-$',
    '±': r'$\pm$',
    '×': r'$\times$',
    '’': "'",
}


def markdown(table: tables.Table) -> str:
  """Returns the table for Markdown with tables (GitHub's)."""
  lines = [f'**{_md(table.title)}**', '']
  header = [_md(title) for title in table.header]
  if table.groups:
    group = [title for title, span in table.groups for _ in range(span)]
    header = [
        f'{_md(above)}<br>{title}' if above else title
        for above, title in zip(group, header)
    ]
  lines += [
      _row(header),
      _row(
          ['---:' if table.is_numeric(i) else '---' for i in range(len(header))]
      ),
  ]
  for first, *cells in table.rows:
    lines.append(_row([_md(first.text), *map(_md_cell, cells)]))
  lines += [''] + [f'- {_md(note)}' for note in table.notes]
  return '\n'.join(lines).rstrip() + '\n'


def comma_separated(table: tables.Table) -> str:
  """Returns the table's bare numbers as CSV, a column a value.

  'All layers trainable' is followed by 'All layers trainable: low' and so
  on. Names are kept as they are, also where a spreadsheet would take one for
  a formula.
  """
  keys = [
      list(dict.fromkeys(key for row in table.rows for key in row[i].values))
      or ['']
      for i in range(len(table.header))
  ]
  text = io.StringIO()
  writer = csv.writer(text, lineterminator='\n')
  writer.writerow(
      [
          f'{title}: {key}' if key else title
          for title, columns in zip(table.header, keys)
          for key in columns
      ]
  )
  for row in table.rows:
    writer.writerow(
        [
            _plain(cell.values.get(key, ''))
            for cell, columns in zip(row, keys)
            for key in columns
        ]
    )
  return text.getvalue()


def latex(table: tables.Table) -> str:
  """Returns the table as a LaTeX float that needs no package."""
  columns = ''.join(
      'r' if table.is_numeric(i) else 'l' for i in range(len(table.header))
  )
  lines = [
      r'\begin{table}',
      r'\centering',
      f'\\caption{{{_tex(table.title)}}}',
      f'\\label{{tab:{table.name}}}',
      f'\\begin{{tabular}}{{{columns}}}',
      r'\hline',
  ]
  if table.groups:
    lines.append(
        _tex_row(
            f'\\multicolumn{{{span}}}{{c}}{{{_tex(title)}}}'
            for title, span in table.groups
        )
    )
  lines += [_tex_row(map(_tex, table.header)), r'\hline']
  for row in table.rows:
    lines.append(
        _tex_row(
            f'\\textbf{{{_tex(cell.text)}}}' if cell.best else _tex(cell.text)
            for cell in row
        )
    )
    for i in range(max(len(cell.under) for cell in row)):
      lines.append(
          _tex_row(
              f'\\footnotesize {_tex(cell.under[i])}'
              if i < len(cell.under)
              else ''
              for cell in row
          )
      )
  lines += [r'\hline', r'\end{tabular}']
  lines += [f'\n\\footnotesize {_tex(note)}' for note in table.notes]
  return '\n'.join([*lines, r'\end{table}']) + '\n'


def _row(cells: list[str]) -> str:
  return f'| {" | ".join(cells)} |'


def _md(text: str) -> str:
  escaped = _MARKDOWN.sub(r'\\\1', _one_line(text))
  return escaped.translate(_HTML)


def _md_cell(cell: tables.Cell) -> str:
  text = f'**{_md(cell.text)}**' if cell.best else _md(cell.text)
  return '<br>'.join([text, *map(_md, cell.under)])


def _tex(text: str) -> str:
  return ''.join(_LATEX.get(c, c) for c in _one_line(text))


def _tex_row(cells) -> str:
  return ' & '.join(cells) + r' \\'


def _one_line(text: str) -> str:
  """No name may end a row, or the file."""
  return ''.join(c if c.isprintable() else '�' for c in text)


def _plain(value: float | int | str) -> str:
  return f'{value:.6g}' if isinstance(value, float) else str(value)
