import os,sys
from pathlib import Path
import pytest
from tests import git_matrix
from tests.git_scene import Scene, gits
@pytest.fixture(scope="session", params=list(gits().values()), ids=list(gits()))
def native(request, tmp_path_factory):
    s=Scene.create(tmp_path_factory.mktemp("native")/"scene", request.param)
    return s
@pytest.mark.parametrize("name", list(git_matrix.OPERATIONS))
def test_row(name, native, tmp_path):
    s=native.copy_to(tmp_path/"s")
    s.tool("git-hooks","install"); "clone" in name and s.tool("git-hooks","install","--global")
    op=git_matrix.OPERATIONS[name]
    assert git_matrix.result(op,s)==("miss" if op.silent else "hit")
