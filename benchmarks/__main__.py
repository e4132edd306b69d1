"""The command line: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence

from tqdm import tqdm

from benchmarks.contest import Options, hold, turns
from benchmarks.machine import machine
from benchmarks.peers import PEERS, PeerError, install, places
from benchmarks.report import Report
from benchmarks.workload import CONTESTANTS, OURS, YARDSTICK, Workload
from benchmarks.workloads import WORKLOADS

DEFAULT = Options()


def parser() -> argparse.ArgumentParser:
    """Return what reads the options."""
    top = argparse.ArgumentParser(
        prog="python -m benchmarks", description="How fast the backward pass is, here and elsewhere."
    )
    commands = top.add_subparsers(dest="command", required=True)
    contest(commands.add_parser("run", help="what each part of a step costs here, in time and memory"), files=True)
    contest(commands.add_parser("compare", help="the step's time beside that of every peer installed"), files=True)
    peers = commands.add_parser("peers", help="the environments of the libraries to compare with")
    peers.add_argument("action", choices=("install", "list"), help="make them, or say where they are")
    peers.add_argument("names", nargs="*", metavar="PEER", help=f"which ({', '.join(PEERS)}); by default all")
    commands.add_parser("list", help="the workloads, and who does them")
    return top


def contest(one: argparse.ArgumentParser, files: bool) -> None:
    """Add the options of a command that holds contests."""
    one.add_argument("workloads", nargs="*", metavar="WORKLOAD", help="which (see list); by default all")
    one.add_argument("--contestants", metavar="NAME,NAME", help=f"who, of {', '.join(CONTESTANTS)}")
    one.add_argument("--dtype", choices=("float32", "float64"), help="by default each workload's own, mostly float32")
    one.add_argument("--size", action="append", default=[], metavar="NAME=N", help="another size, such as batch=64")
    one.add_argument("--rounds", type=positive, default=DEFAULT.rounds, metavar="N", help="turns of each (%(default)s)")
    one.add_argument(
        "--seconds",
        type=duration,
        default=DEFAULT.seconds,
        metavar="S",
        help="that these turns take together (%(default)s)",
    )
    one.add_argument(
        "--threads", type=int, default=DEFAULT.threads, metavar="N", help="of each contestant; 0 for all (%(default)s)"
    )
    if files:
        one.add_argument("--json", metavar="FILE", help="write everything")
        one.add_argument("--markdown", metavar="FILE", help="write a Markdown table")
        one.add_argument("--pyperf", metavar="FILE", help="write the rounds as pyperf's JSON, for its commands")
        one.add_argument("--plot", metavar="FILE", help="draw it, .svg, .png or .pdf")


# What options mean


def positive(text: str) -> int:
    """A number of rounds."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def duration(text: str) -> float:
    """A number of seconds."""
    value = float(text)
    if not value > 0:
        raise ValueError(text)
    return value


def chosen(names: Iterable[str]) -> list[Workload]:
    """The workloads of these names; all if there are none."""
    names = list(names)
    for name in names:
        if name not in WORKLOADS:
            raise ValueError(f"there is no workload {name!r}; choose from {', '.join(WORKLOADS)}")
    return [WORKLOADS[name] for name in names or WORKLOADS]


def contestants(text: str | None, default: Sequence[str]) -> tuple[str, ...]:
    """The contestants of a list with commas; the yardstick is always among them."""
    if text is None:
        return tuple(default)
    names = text.split(",")
    for name in names:
        if name not in CONTESTANTS:
            raise ValueError(f"there is no contestant {name!r}; choose from {', '.join(CONTESTANTS)}")
    return (YARDSTICK, *(name for name in names if name != YARDSTICK))


def sizes(texts: Iterable[str], workloads: Sequence[Workload]) -> dict[str, int]:
    """The sizes that are given as NAME=N; each must be one of a workload at least."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not value.isdecimal() or int(value) < 1:
            raise ValueError(f"--size {text}: give a name and a positive integer, such as batch=64")
        known = {known for workload in workloads for known in workload.sizes}
        if name not in known:
            raise ValueError(f"--size {text}: the chosen workloads have {', '.join(sorted(known)) or 'no sizes'}")
        found[name] = int(value)
    return found


def options_of(given: argparse.Namespace, workloads: Sequence[Workload], default: Sequence[str]) -> Options:
    """How contests are held."""
    if given.threads < 0:
        raise ValueError(f"--threads {given.threads}: give a positive number, or 0 for all")
    return Options(
        contestants=contestants(given.contestants, default),
        rounds=given.rounds,
        seconds=given.seconds,
        threads=given.threads,
        dtype=given.dtype,
        sizes=sizes(given.size, workloads),
        parts=given.command == "run",
    )


# Commands


def contests(given: argparse.Namespace) -> int:
    """``run`` and ``compare``."""
    workloads = chosen(given.workloads)
    running = given.command == "run"
    options = options_of(given, workloads, OURS if running else tuple(CONTESTANTS))
    report = Report(given.command, machine(options.threads), [])
    with bar(turns(workloads, options)) as progress:
        for workload in workloads:
            progress.set_description(workload.name)
            report.outcomes.append(hold(workload, options, progress.update, measured=running))
            if not report.outcomes[-1].complete:
                report.interrupted = True
                break
    print(report.text(), flush=True)
    for said in report.write(given.json, given.markdown, given.pyperf):
        print(said)
    if given.plot and report.finished():
        from benchmarks import plots

        plots.contests(report, given.plot)
        print(f"picture in {given.plot}")
    for complaint in report.wrong():
        print(complaint, file=sys.stderr)
    return 130 if report.interrupted else 1 if report.wrong() else 0


def bar(total: int) -> tqdm[None]:
    """A progress bar, where somebody looks."""
    return tqdm(total=total, unit="turn", disable=None, leave=False)


def peers(given: argparse.Namespace) -> int:
    """``peers install`` and ``peers list``."""
    for name in given.names:
        if name not in PEERS:
            raise ValueError(f"there is no peer {name!r}; choose from {', '.join(PEERS)}")
    if given.action == "install":
        for name in tqdm(given.names or list(PEERS), unit="peer", disable=None, leave=False):
            install(name)
    for name, title, where in places():
        if not given.names or name in given.names:
            print(f"{name:10} {title:16} {where}")
    return 0


def listing(given: argparse.Namespace) -> int:
    """``list``."""
    for workload in WORKLOADS.values():
        options = ", ".join(f"{name}={size}" for name, size in workload.sizes.items() if size)
        print(f"{workload.name}: {workload.title}")
        print(f"    {', '.join(workload.contestants())}{f'; {options}' if options else ''}")
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": contests,
    "compare": contests,
    "peers": peers,
    "list": listing,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 1 if something is wrong or slower, 2 after an error, 130 after Ctrl-C."""
    reader = parser()
    given = reader.parse_args(arguments)
    try:
        return COMMANDS[given.command](given)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except (ImportError, OSError, PeerError, ValueError) as error:
        print(f"{reader.prog} {given.command}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
