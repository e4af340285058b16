"""The revision that ``init`` shows is the one that was installed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hooks_compile import __version__
from hooks_compile.install.installed import revision
from tests.support.repositories import GitRepo, write

if TYPE_CHECKING:
    from pathlib import Path

TAG = f"v{__version__}"


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ({"url": "https://x.invalid/y", "vcs_info": {"vcs": "git", "commit_id": "abc"}}, "abc"),
        ({"url": "file://CHECKOUT", "dir_info": {"editable": True}}, "HEAD"),
        ({"url": "file://CHECKOUT", "dir_info": {}}, "HEAD"),
        ({"url": "file:///not%20there", "dir_info": {}}, TAG),
        ({"url": "https://x.invalid/y.whl", "archive_info": {}}, TAG),
        (["damaged"], TAG),
        (None, TAG),
    ],
)
def test_the_revision_is_what_the_installer_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: object, expected: str
) -> None:
    repo = GitRepo.create(tmp_path / "a checkout")
    commit = repo.commit()
    info = tmp_path / "site/hooks_compile-0.dist-info"
    write(info / "METADATA", "Name: hooks-compile\nVersion: 0\n")
    if origin is not None:
        text = json.dumps(origin).replace("CHECKOUT", str(repo.path).replace(" ", "%20"))
        write(info / "direct_url.json", text)
    monkeypatch.setattr("sys.path", [str(tmp_path / "site")])
    assert revision() == {"HEAD": commit}.get(expected, expected)
