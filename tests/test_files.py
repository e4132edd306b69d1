"""Where files can be written; that they are written whole or not at all, `tests/view` and `tests/nn` show."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from autograd.files import destination


def test_a_file_may_be_there_or_not(tmp_path: Path) -> None:
    (tmp_path / "old").touch()
    assert destination(tmp_path / "old") == tmp_path.resolve() / "old"
    assert destination(tmp_path / "new") == tmp_path.resolve() / "new"


def test_without_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "none" / "f"
    message = f"there is no folder {path.parent.resolve()} for {path}; make it first"
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}$"):
        destination(path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=f"^{re.escape(str(tmp_path))} is a folder; name a file in it$"):
        destination(tmp_path)


def test_where_nothing_may_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the superuser, who runs some tests, there is no such folder."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    message = f"the folder {tmp_path.resolve()} for {tmp_path / 'f'} may not be written to; choose another"
    with pytest.raises(PermissionError, match=f"^{re.escape(message)}$"):
        destination(tmp_path / "f")
