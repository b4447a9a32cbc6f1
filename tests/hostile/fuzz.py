"""Feeds one parser changed bytes until it breaks or the time is over.

    python -m tests.hostile.fuzz --target=NAME [--seconds=600]

Led by what the changes reach (atheris, libFuzzer). A traceback, an input that
takes 10 seconds or 1 GiB of memory ends it with another status than 0, and
the input is left as ./crash-*, ./timeout-* or ./oom-*. Needs
`pip install -e '.[fuzz]'`.
"""

import argparse
import pathlib
import sys
import tempfile

import atheris

with atheris.instrument_imports(include=['medxfer', 'configs']):
  from tests.hostile import parsers


def main() -> None:
  """Fuzzes the target."""
  flags = argparse.ArgumentParser(description=__doc__)
  flags.add_argument('--target', required=True, choices=parsers.PARSERS)
  flags.add_argument('--seconds', type=int, default=600)
  chosen = flags.parse_args()
  parser = parsers.PARSERS[chosen.target]
  with tempfile.TemporaryDirectory() as corpus:
    (pathlib.Path(corpus) / 'seed').write_bytes(parser.seed)
    atheris.Setup(
        [
            sys.argv[0],
            corpus,
            f'-max_total_time={chosen.seconds}',
            '-timeout=10',
            '-rss_limit_mb=1024',
            '-max_len=65536',
            '-print_final_stats=1',
        ],
        lambda content: parser.feed(content) and None,
    )
    atheris.Fuzz()


if __name__ == '__main__':
  main()
