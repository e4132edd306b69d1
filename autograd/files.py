"""Files that are written whole or not at all; and whether one can be written, asked before work that would be lost."""

from __future__ import annotations

import os
from pathlib import Path

PLOTS = (".svg", ".png", ".pdf")


def destination(path: str | os.PathLike[str]) -> Path:
    """Return where a file goes that is written to `path`, if it can be written there: a link stays a link.

    Raises
    ------
    FileNotFoundError
        If there is no folder for it.
    IsADirectoryError
        If it is a folder.
    PermissionError
        If nothing may be written to its folder.
    """
    target, given = Path(os.path.realpath(path)), os.fspath(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {target.parent} for {given}; make it first")
    if target.is_dir():
        raise IsADirectoryError(f"{given} is a folder; name a file in it")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise PermissionError(f"the folder {target.parent} for {given} may not be written to; choose another")
    return target


def destination_of_plot(path: str | os.PathLike[str]) -> Path:
    """Return where a plot goes that is drawn to `path`, if it can be drawn and written there.

    Raises
    ------
    ValueError
        If its ending is another than `PLOTS`.
    ImportError
        If there is no matplotlib.
    OSError
        As of `destination`.
    """
    target = destination(path)
    if target.suffix.lower() not in PLOTS:
        raise ValueError(f"a plot is drawn as {', '.join(PLOTS)}, not as {target.suffix!r}: {os.fspath(path)!r}")
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError("a plot needs matplotlib; run pip install 'chainrule[plot]'") from error
    return target


def replace_file(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file beside the one at `path`, then put it in that one's place, which the system does in one step."""
    target = destination(path)
    beside = target.with_name(f".{target.name}.{os.urandom(4).hex()}")
    try:
        with open(beside, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)
