"""Puts the compiled loader into the wheel, if there is a C compiler where it is built.

pyproject.toml names these classes. Without a compiler the wheel is for every platform, and
``hooks-compile snapshot on`` compiles the loader.
"""

from __future__ import annotations

import functools
import importlib.util
import platform
import sysconfig
from pathlib import Path

from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

_BUILD = Path(__file__).with_name("loader_build.py")
_TARGET = Path("hooks_compile", "snapshots", "loader", f"loader-{platform.machine()}")


@functools.cache
def compiled_loader() -> bytes | None:
    """Return the loader, None if it can't be compiled here."""
    # the package itself can't be imported while it is built
    spec = importlib.util.spec_from_file_location("loader_build", _BUILD)
    assert spec is not None and spec.loader is not None  # noqa: S101 - it lies beside us
    loader_build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loader_build)
    try:
        content: bytes = loader_build.compile_loader()
    except loader_build.LoaderError:
        return None
    return content


class BuildPy(build_py):  # type: ignore[misc] # setuptools has no types
    """Builds the package, and the loader in it."""

    def run(self) -> None:
        """Build. An editable install compiles the loader when snapshots are turned on."""
        super().run()
        content = None if self.editable_mode else compiled_loader()
        if content is not None:
            path = Path(self.build_lib, _TARGET)
            path.write_bytes(content)
            path.chmod(0o755)


class BdistWheel(bdist_wheel):  # type: ignore[misc] # setuptools has no types
    """Names the platform of a wheel that has the loader in it, and of no other."""

    def get_tag(self) -> tuple[str, str, str]:
        """Return the tag: any Python 3, and the platform."""
        if compiled_loader() is None:
            return "py3", "none", "any"
        return "py3", "none", sysconfig.get_platform().replace("-", "_")
