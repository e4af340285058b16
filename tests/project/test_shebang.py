from __future__ import annotations

import zipapp
from typing import TYPE_CHECKING

import pytest

from hooks_compile.project.shebang import HEAD, is_python
from tests.support.repositories import write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "line",
    [
        "#!/usr/bin/env python3",
        "#!/usr/bin/env python",
        "#! /usr/bin/env python3 ",
        "#!/usr/bin/env\tpython3",
        "#!/usr/bin/env python3\r",
        "#!/usr/bin/env -S python3 -u",
        "#!/usr/bin/env -Spython3 -u",
        "#!/usr/bin/env -vS python3",
        "#!/usr/bin/env -i python3",
        "#!/usr/bin/env -S -u HOME PYTHONUTF8=1 python3.12 -X utf8",
        "#!/usr/bin/env --split-string=python3 -u",
        "#!/usr/bin/env -S uv run --script",
        "#!/usr/bin/env -S uv run -q --script --python 3.12",
        "#!/usr/bin/env -S uv --quiet run --script",
        "#!/usr/bin/env -S uv run python -u",
        "#!/usr/bin/env -S pipx run",
        "#!/usr/bin/env -S poetry run python",
        "#!/usr/local/bin/uv run --script",
        "#!/usr/bin/python3",
        "#!/usr/bin/python3 -I",
        "#!/opt/x/bin/python3.13t",
        "#!/home/me/project/.venv/bin/python",
        "#!C:\\Python312\\python.exe -u",
        "#!/usr/bin/pypy3",
        "#!python3",
    ],
)
def test_python_shebangs(line: str) -> None:
    assert is_python(line.encode())
    assert is_python(line.encode() + b"\nimport sys\n\xff")


def test_a_zip_archive_with_a_first_line_is_no_source(tmp_path: Path) -> None:
    write(tmp_path / "app/__main__.py", "print(1)\n")
    for compressed in (False, True):
        zipapp.create_archive(
            tmp_path / "app", tmp_path / "x", "/usr/bin/env python3", compressed=compressed
        )
        assert not is_python((tmp_path / "x").read_bytes()[:HEAD])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#",
        "#!",
        "#!\n/usr/bin/python3",
        "# !/usr/bin/python3",
        "\n#!/usr/bin/python3",
        "\ufeff#!/usr/bin/python3",
        "#!/bin/sh",
        "#!/bin/sh\n# python3\n",
        "#!/bin/bash -c python3",
        "#!/usr/bin/env",
        "#!/usr/bin/env -S",
        "#!/usr/bin/env -u",
        "#!/usr/bin/env bash python3",
        "#!/usr/bin/env -S uv run",
        "#!/usr/bin/env -S uv run bash",
        "#!/usr/bin/env -S uv pip --script",
        "#!/usr/bin/env -S poetry run task",
        "#!/usr/bin/python-config",
        "#!/usr/bin/pythonista",
        "#!/usr/bin/python/bash",
        "import sys",
    ],
)
def test_other_first_lines(text: str) -> None:
    assert not is_python(text.encode())
