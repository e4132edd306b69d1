"""The command line: ``python -m autograd``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from autograd.coverage import as_markdown, as_text, entries
from autograd.demo import demo


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 130 after Ctrl-C, as in a shell."""
    parser = argparse.ArgumentParser(prog="python -m autograd", description="Automatic differentiation of NumPy code.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="differentiate f = (x + y) z, then fit a logistic regression to real data")
    coverage = commands.add_parser("coverage", help="what each public function of NumPy does with a Tensor")
    coverage.add_argument("--markdown", action="store_true", help="print a Markdown table")
    options = parser.parse_args(arguments)
    try:
        if options.command == "demo":
            demo()
        else:
            print(as_markdown(entries()) if options.markdown else as_text(entries()), flush=True)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
