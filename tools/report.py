"""Makes tables, figures and one HTML page from finished runs.

See `medxfer/commands/report.py`.
"""

from medxfer import launcher
from medxfer.commands import report

if __name__ == '__main__':
  launcher.run(report)
