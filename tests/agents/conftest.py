"""Clients of agents, installed once for all tests that run them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support import model_server
from tests.support.agent_clients import InstallError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.agent_clients import Client
    from tests.support.model_server import Model


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Client], Path]]:
    """Give a function that returns a client's program, or skips the test.

    Clients are large: they are removed at the end.
    """
    directory = tmp_path_factory.mktemp("clients")
    found: dict[str, Path | InstallError] = {}

    def program(client: Client) -> Path:
        if client.name not in found:
            try:
                found[client.name] = client.install(directory / client.name)
            except InstallError as error:
                found[client.name] = error
        result = found[client.name]
        return pytest.skip(str(result)) if isinstance(result, InstallError) else result

    yield program
    shutil.rmtree(directory)


@pytest.fixture
def model() -> Iterator[Model]:
    """Give a stand-in for the models that clients talk to."""
    with model_server.serve() as model:
        yield model
