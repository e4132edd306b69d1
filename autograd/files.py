"""Files that are written whole or not at all; and whether one can be written, asked before work that would be lost."""

from __future__ import annotations

import os
from pathlib import Path


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
