"""Which revision of the repository is installed: what ``rev`` of pre-commit has to name."""

from __future__ import annotations

import json
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

from hooks_compile import __version__, git
from hooks_compile.errors import GitError


def revision() -> str:
    """Return the commit that was installed, else the tag of the version.

    pip, pipx and uv record where a package came from (PEP 610). A directory stands for the commit
    that is checked out there.
    """
    with suppress(metadata.PackageNotFoundError, GitError, KeyError, TypeError, ValueError):
        origin = json.loads(
            metadata.distribution("hooks-compile").read_text("direct_url.json") or ""
        )
        if "vcs_info" in origin:
            return str(origin["vcs_info"]["commit_id"])
        directory = Path(unquote(urlsplit(origin["url"]).path))
        if "dir_info" in origin and (directory / ".git").exists():
            return git.run(["rev-parse", "HEAD"], cwd=directory).decode().strip()
    return f"v{__version__}"
