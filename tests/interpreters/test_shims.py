"""Bypassing the shim of a real pyenv: same Python, same environment, or the shim is asked."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.interpreters import shims
from hooks_compile.model import HookSource
from hooks_compile.project.config import Config
from hooks_compile.project.record import Project
from hooks_compile.project.selection import find_interpreters, for_unattended
from tests.conftest import CHECKOUT
from tests.support.launches import WRAPPER, require_root
from tests.support.pyenv_scene import LONG_AGO, SYSTEM, Scene, real_root, versions
from tests.support.tiers import ci_only, scaled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SHELLS = {
    "sh": ("sh",),
    "dash": ("dash",),
    "bash": ("bash",),
    "bash --posix": ("bash", "--posix"),
    "busybox ash": ("busybox", "ash"),
    "zsh": ("zsh", "-f"),
    "zsh as sh": ("zsh", "--emulate", "sh", "-f"),
}
# zsh gives what it starts another ``_`` than the shim does; so the shim is asked.
PASSING_SHELLS = [name for name in SHELLS if "zsh" not in name]


def _shells(names: Iterable[str]) -> list[object]:
    params: list[object] = []
    for name in names:
        missing = pytest.mark.skip(reason=f"{SHELLS[name][0]} is not on this machine")
        marks = [] if shutil.which(SHELLS[name][0]) else [missing]
        params.append(pytest.param(SHELLS[name], id=name, marks=marks))
    return params


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene.create(tmp_path, *versions())


def minor(version: str) -> str:
    return version.rpartition(".")[0]


# --- the versions that pyenv can be told ----------------------------------------------------------

OLD, MIDDLE, NEW = "{old}", "{middle}", "{new}"


def _named(text: str) -> str:
    old, middle, *_, new = versions()
    return text.format(old=old, middle=middle, new=new, old_minor=minor(old), new_minor=minor(new))


# What .python-version holds, and whether launches bypass the shim once it is recorded.
CONTENTS = [
    ("{old}\n", True),
    ("\n# a comment\n{old}\n# {new}\n{middle}", True),
    ("{old}\r\n", False),
    ("{old_minor}\n", True),
    ("  {old}\n", False),
    ("system\n{old}\n", True),
    ("..\n", False),
    ("# nothing\n", True),
    ("$(touch {old})\n", False),
    ("9.9.9\n{old}\n", True),
    ("3\n", True),
    ("", True),
    ("{old_minor}\n{new}\n", True),
    ("python-{old}\n", True),
    ("{old} # a comment\n", False),
    ("nonsense\n", True),
    ("{old}/envs/x\n", False),
    ("*\n", False),
    ("`id`'\"\n", False),
    ("é\n", False),
    ("{old}" + "0" * 300 + "\n", False),
    ("{old}" + " " * 2000 + "x\n", False),
    ("#" * 2000 + "\n", False),
]


def test_a_version_file_of_any_content_gives_what_the_shim_gives(scene: Scene) -> None:
    for content, passed in CONTENTS[:: scaled(6, 3, 1)]:
        scene.choose(_named(content))
        recorded = scene.refresh()
        assert (recorded.binary is not None) == passed, (content, recorded)
        scene.compare("--child", "an argument", directory="sub/deep")
        assert scene.passes("sub/deep") == passed
    assert list(scene.top.rglob("touch*")) == []


@ci_only
def test_the_variable_is_used_before_every_file(scene: Scene) -> None:
    scene.choose(_named("{middle}\n"))
    for content, passed in [
        ("{old}:{new}", True),
        ("", True),
        ("system", True),
        ("..", True),
        ("{old} {new}", False),
        ("{old}\n", False),
        ("*", False),
    ][:: scaled(3, 2, 1)]:
        version = _named(content)
        scene.refresh(PYENV_VERSION=version)
        scene.compare("--child", env={"PYENV_VERSION": version})
        assert scene.passes(PYENV_VERSION=version) == passed


def test_any_command_that_pyenv_has_a_shim_for_is_recorded(scene: Scene) -> None:
    (name,) = {f"python{minor(versions()[0])}"}
    shim = scene.root / "shims" / name
    shutil.copy(shim.with_name("python3"), shim)
    scene.settle()
    for command in (name, "python"):
        bypass = shims.bypass_of(
            scene.runtime, command, cwd=scene.project, env=scene.env, record=True
        )
        assert bypass
        assert bypass.binary == scene.root / "versions" / versions()[0] / "bin" / command
    shown = [
        subprocess.run(
            [*words, str(scene.hook)],
            cwd=scene.project,
            env=scene.env,
            capture_output=True,
            check=False,
        ).stdout
        for words in (["sh", str(WRAPPER), f"--python={name}"], ["sh", "-c", f'{name} "$0"'])
    ]
    assert json.loads(shown[0]) == json.loads(shown[1])


def test_the_hook_sees_the_variables_that_pyenv_sets(scene: Scene) -> None:
    scene.refresh()
    assert scene.passes()
    seen = scene.compare().seen
    version = versions()[0]
    assert seen["executable"] == str(scene.root / "versions" / version / "bin" / "python3")
    assert seen["env"]["PYENV_VERSION"] == version
    assert seen["env"]["PYENV_DIR"] == str(scene.project)
    assert seen["env"]["PATH"].endswith(scene.env["PATH"])
    assert seen["env"]["PATH"] != scene.env["PATH"]
    assert "hooks_compile" not in str(seen)


def test_a_shim_that_was_never_recorded_is_asked(scene: Scene) -> None:
    scene.compare()
    assert not scene.passes()
    assert not (scene.runtime / shims.DIRECTORY).exists()


def test_the_record_of_one_directory_serves_in_all_where_the_same_is_chosen(scene: Scene) -> None:
    old, *_, new = versions()
    scene.choose(f"{new}\n", "sub")
    scene.refresh()
    assert [scene.passes(), scene.passes("sub"), scene.passes("sub/deep")] == [True, False, False]
    scene.refresh("sub")
    for directory, version in ((".", old), ("sub", new), ("sub/deep", new)):
        assert scene.passes(directory)
        assert scene.compare(directory=directory).seen["env"]["PYENV_VERSION"] == version
    seen = scene.launch(cwd=Path("/"), wrapper=True)
    assert seen == scene.launch(cwd=Path("/"), wrapper=False)
    assert seen.seen["env"]["PYENV_DIR"] == "/"


# --- what happens after the record ----------------------------------------------------------------


def _nearer_file(scene: Scene) -> None:
    scene.choose(f"{versions()[1]}\n", "sub")


def _other_global(scene: Scene) -> None:
    scene.choose_globally(versions()[1])


def _uninstalled(scene: Scene) -> None:
    scene.uninstall(versions()[0])


def _other_python_by_that_name(scene: Scene) -> None:
    scene.uninstall(versions()[0])
    scene.install(versions()[0], versions()[-1])


def _binary_not_executable(scene: Scene) -> None:
    scene.uninstall(versions()[0])
    binary = scene.root / "versions" / versions()[0] / "bin" / "python3"
    binary.parent.mkdir(parents=True)
    binary.write_text("")


def _new_hook_script(scene: Scene) -> None:
    script = scene.root / "pyenv.d" / "which" / "mine.bash"
    script.parent.mkdir(exist_ok=True)
    script.write_text(f'PYENV_COMMAND_PATH="$PYENV_ROOT/versions/{versions()[1]}/bin/python3"\n')


def _old_hook_script(scene: Scene) -> None:
    _new_hook_script(scene)
    scene.settle()


def _hook_script_before(scene: Scene) -> None:
    script = scene.root / "pyenv.d" / "version-name" / "mine.bash"
    script.parent.mkdir(exist_ok=True)
    script.write_text(f'PYENV_VERSION="{versions()[1]}"\n')
    scene.settle()


def _new_plugin(scene: Scene) -> None:
    script = scene.root / "plugins" / "mine" / "etc" / "pyenv.d" / "exec" / "mine.bash"
    script.parent.mkdir(parents=True)
    script.write_text("export MINE=1\n")
    scene.settle()


def _plugin_with_commands(scene: Scene) -> None:
    (scene.root / "plugins" / "pyenv-doctor" / "bin").rename(scene.top / "elsewhere")


def _edited_hook_script(scene: Scene) -> None:
    script = scene.root / "pyenv.d" / "exec" / "pip-rehash.bash"
    script.write_text("export MINE=1\n")


def _edited_command(scene: Scene) -> None:
    command = scene.root / "libexec" / "pyenv-exec"
    command.write_text(command.read_text().replace("shift 1\n", "shift 1\nexport MINE=1\n"))


def _upgrade_from_an_archive(scene: Scene) -> None:
    _edited_command(scene)
    told = scene.root / "libexec" / "pyenv---version"
    told.write_text(told.read_text().replace('version="', 'version="9.'))
    scene.settle()
    os.utime(told, (LONG_AGO - 1000, LONG_AGO - 1000))


def _edited_shim(scene: Scene) -> None:
    shim = scene.root / "shims" / "python3"
    shim.write_text(shim.read_text().replace("set -e\n", "set -e\nexport MINE=1\n"))


def _removed_command(scene: Scene) -> None:
    (scene.root / "libexec" / "pyenv-which").unlink()


def _removed_shim(scene: Scene) -> None:
    (scene.root / "shims" / "python3").unlink()


def _version_of_an_archive(scene: Scene) -> None:
    scene.install(f"{minor(versions()[0])}.99", versions()[1])
    scene.settle()


CHANGES: list[Callable[[Scene], object]] = [
    *(_uninstalled, _nearer_file, _other_global, _other_python_by_that_name, _new_hook_script),
    *(_binary_not_executable, _old_hook_script, _edited_command, _hook_script_before, _new_plugin),
    *(_upgrade_from_an_archive, _plugin_with_commands, _edited_hook_script, _edited_shim),
    *(_removed_command, _version_of_an_archive, _removed_shim),
]


@pytest.mark.parametrize("change", CHANGES[:: scaled(5, 1, 1)])
def test_after_any_change_a_launch_does_what_the_shim_does_then(
    scene: Scene, change: Callable[[Scene], object]
) -> None:
    scene.refresh("sub")
    assert scene.passes("sub")
    change(scene)
    assert not scene.passes("sub")
    scene.compare(directory="sub")


@ci_only
def test_a_new_version_counts_if_a_prefix_chooses_the_latest(scene: Scene) -> None:
    old, middle = versions()[:2]
    latest = f"{minor(old)}.99"
    scene.choose(f"{minor(old)}\n")
    scene.refresh()
    assert scene.compare().seen["env"]["PYENV_VERSION"] == old
    changes: list[tuple[Callable[[], None], str]] = [
        (lambda: scene.install(latest, middle), latest),
        (lambda: scene.uninstall(latest), old),
        (lambda: scene.install(minor(old), middle), minor(old)),  # by that very name
    ]
    for change, expected in changes:
        assert scene.passes()
        change()
        assert not scene.passes()
        scene.settle()
        scene.refresh()
        assert scene.passes()
        assert scene.compare().seen["env"]["PYENV_VERSION"] == expected


@ci_only
def test_a_version_counts_from_when_its_installation_is_complete(scene: Scene) -> None:
    directory = scene.root / "versions" / "3.99.0" / "bin"
    directory.mkdir(parents=True)
    scene.settle()
    scene.choose(f"3.99.0\n{versions()[1]}\n")
    scene.refresh()
    assert scene.passes()
    assert f"/{versions()[1]}/" in scene.compare().seen["executable"]
    real = scene.root / "versions" / versions()[-1] / "bin" / "python3"
    (directory / "python3").symlink_to(real)
    assert not scene.passes()
    assert f"/{versions()[1]}/" not in scene.compare().seen["executable"]


def test_a_pyenv_that_changed_a_moment_ago_is_recorded_later(scene: Scene) -> None:
    scene.rehash()
    os.utime(scene.root / "shims" / "python3")
    assert scene.refresh().why == "pyenv changed a moment ago"
    assert not scene.passes()
    past = time.time() - 3
    os.utime(scene.root / "shims" / "python3", (past, past))
    assert scene.refresh().binary
    scene.rehash()
    assert scene.passes()  # it changed nothing
    os.utime(scene.root / "shims" / "python3")
    assert not scene.passes()


@ci_only
def test_the_virtual_environment_of_a_plugin_is_a_version_like_others(scene: Scene) -> None:
    base = scene.root / "versions" / versions()[-1] / "bin" / "python3"
    directory = scene.root / "versions" / "mine"
    subprocess.run([base, "-m", "venv", "--without-pip", directory], check=True)
    scene.settle()
    scene.choose("mine\n")
    scene.refresh()
    assert scene.passes()
    assert scene.compare("--child").seen["executable"] == str(directory / "bin" / "python3")


# --- the environment ------------------------------------------------------------------------------

# What is set at the launch, and whether it still bypasses the shim.
ENVIRONMENTS: list[tuple[dict[str, str], bool]] = [
    ({"_": "/bin/sh", "SHLVL": "1", "OLDPWD": "/", "PWD": "nonsense"}, True),
    ({"PYENV_DIR": "/"}, False),
    ({"SHLVL": "0", "PYENV_ROOT": "/elsewhere", "PYENV_SHELL": "zsh", "PWD": "/"}, True),
    ({"SHLVL": "999"}, False),
    ({"FROM_KNOWN": "1"}, False),
    ({"SHELLOPTS": "nounset"}, False),
    ({"IFS": "3", "ENV": "/x", "PS1": "x", "PS2": "", "ODD": "a\nb * '\"", "EMPTY": ""}, True),
    ({"SHLVL": ""}, True),
    ({"SHLVL": "1000"}, False),
    ({"SHLVL": "-1"}, False),
    ({"SHLVL": "07"}, False),
    ({"SHLVL": "x"}, False),
    ({"OLDPWD": "/no/such/directory"}, False),
    ({"OLDPWD": ""}, False),
    ({"PYENV_VIRTUAL_ENV": "/x", "VIRTUAL_ENV": "/x", "LC_ALL": "C"}, True),
    ({"PYENV_HOOK_PATH": "/x"}, False),
    ({"PYENV_NATIVE_EXT": "1"}, False),
    ({"_PYENV_SHIM_PATH": "/x"}, False),
    ({"_PYENV_SHIM_PATHS_PYTHON3": "/usr/bin"}, False),
    ({"program": "x"}, False),
    ({"scripts": "x"}, False),
    ({"command": ""}, False),
    ({"BASH_ENV": "/dev/null"}, False),
    ({"POSIXLY_CORRECT": "1"}, False),
    ({"BASHOPTS": "failglob"}, False),
    ({"GLOBIGNORE": "*"}, False),
    ({"CDPATH": "/"}, False),
    ({"FORCE": "1"}, False),
    ({"BASH_VERSION": "5.2"}, False),
]


def test_a_variable_is_seen_by_the_hook_as_through_the_shim(scene: Scene) -> None:
    scene.refresh()
    scene.choose("system\n", "sub")
    scene.refresh("sub")
    for env, passed in ENVIRONMENTS[:: scaled(4, 1, 1)]:
        assert scene.passes(**env) == passed, env
        for directory in (".", "sub") if passed else (".",):
            scene.compare(env=env, directory=directory)


# PATH, and whether the shim is bypassed to a version, and to the Python of the system.
PATHS = [
    ("/usr/sbin:{shims}:/usr/bin:", True, True),
    ("{shims}:~/bin:/usr/bin", True, False),
    ("{shims}/:/usr/bin", False, False),
    ("{top}/link/shims:/usr/bin", False, False),
    ("{shims}:{shims}:/usr/bin", True, True),
    ("/no/such:/usr/bin/:{shims}", False, False),
    (":{shims}:/usr/bin", False, False),
    ("bin:{shims}:/usr/bin", False, False),
    ("{shims}:bin:/usr/bin", True, False),
    ("{top}/tools:{shims}:/usr/bin", False, False),
]


@ci_only
def test_path_leads_to_the_shim_or_does_not(scene: Scene) -> None:
    (scene.top / "link").symlink_to(scene.root)
    tools = scene.top / "tools"
    tools.mkdir()
    (tools / "python3").symlink_to(scene.root / "versions" / versions()[-1] / "bin" / "python3")
    scene.refresh()
    scene.choose("system\n", "sub")
    scene.refresh("sub")
    shell = (shutil.which("sh") or "/bin/sh",)
    for row, *passed in PATHS[:: scaled(3, 1, 1)]:
        path = str(row).format(shims=scene.root / "shims", top=scene.top)
        for directory, expected in zip((".", "sub"), passed, strict=True):
            scene.compare(env={"PATH": path}, shell=shell, directory=directory)
            assert scene.passes(directory, PATH=path) == expected, row


@ci_only
def test_a_logical_working_directory_is_kept(scene: Scene) -> None:
    link = scene.top / "link"
    link.symlink_to(scene.project / "sub")
    (scene.top / ".python-version").write_text(f"{versions()[1]}\n")
    scene.choose(f"{versions()[-1]}\n")
    for directory in (scene.top, scene.project):
        shims.bypass_of(scene.runtime, "python3", cwd=directory, env=scene.env, record=True)
    for pwd in (link, scene.project / "sub", f"{link}/../link", f"{scene.top}//link", f"{link}/."):
        env = scene.env | {"PWD": str(pwd)}
        source = scene.launch(cwd=link, env=env, wrapper=False)
        assert scene.launch(cwd=link, env=env, wrapper=True) == source
    by_link = scene.launch(cwd=link, env=scene.env | {"PWD": str(link)}, wrapper=True)
    assert by_link.seen["env"]["PYENV_VERSION"] == versions()[1]


@ci_only
def test_in_a_directory_that_is_gone_the_shim_is_asked(scene: Scene) -> None:
    scene.refresh()
    command = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    shown = []
    for words in (["sh", "-c", 'exec python3 "$@"', "sh"], ["sh", str(WRAPPER)]):
        done = subprocess.run(
            ["sh", "-c", command, "sh", *words, str(scene.hook)],
            cwd=scene.project,
            env=scene.env,
            capture_output=True,
            check=False,
        )
        shown.append((done.returncode, done.stdout))
    assert shown[0] == shown[1]


def test_arguments_that_pyenv_takes_for_those_of_pip_are_left_to_it(scene: Scene) -> None:
    scene.refresh()
    scene.compare("-m", "pip", "x")
    scene.compare("x -m pip y")


@pytest.mark.parametrize("shell", _shells(list(SHELLS)[: scaled(1, 9, 9)]))
def test_every_shell_gives_the_hook_what_it_gives_it_through_the_shim(
    scene: Scene, shell: tuple[str, ...]
) -> None:
    for directory, content in (("sub", f"{minor(versions()[1])}\n"), ("sub/deep", "system\n")):
        scene.choose(content, directory)
        assert scene.refresh(directory).binary
        scene.compare("a b", shell=shell, directory=directory)
    for env in ({"_": "/x", "SHLVL": "5", "OLDPWD": "/"}, {"SHLVL": "x"}):
        scene.compare("a b", shell=shell, env=env, directory="sub")


@pytest.mark.parametrize("shell", _shells(PASSING_SHELLS[:: scaled(3, 1, 1)]))
def test_it_starts_no_process_but_the_hooks(scene: Scene, shell: tuple[str, ...]) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not on this machine")
    scene.choose(f"{minor(versions()[1])}\n")
    scene.refresh()
    for options in ([], ["-e"], ["-u"], ["-C"])[: scaled(1, 4, 4)]:
        _assert_nothing_else_starts(scene, shell, options)


def _assert_nothing_else_starts(scene: Scene, shell: tuple[str, ...], options: list[str]) -> None:
    trace = scene.top / "trace"
    command = ["strace", "-f", "-o", str(trace), "-e", "trace=execve,clone,clone3,fork,vfork"]
    done = subprocess.run(
        [*command, *shell, *options, str(WRAPPER), "-I", "-S", str(scene.hook)],
        cwd=scene.project,
        env=scene.env,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    lines = trace.read_text().splitlines()
    started = [line.partition("execve(")[2] for line in lines if line.endswith(" = 0")]
    passed = not (shell[0] == "bash" and options)  # its SHELLOPTS are others
    assert ("/shims/python3" in started[1]) != passed
    assert (len(started) == 2) == passed
    if passed:
        assert f"/versions/{versions()[1]}/bin/python3" in started[1]
        assert len({line.split()[0] for line in lines}) == 1


# --- nobody gets in -------------------------------------------------------------------------------


def _record(scene: Scene) -> Path:
    directory = scene.runtime / shims.DIRECTORY
    (record,) = [path for path in directory.iterdir() if "+" not in path.name and "@" in path.name]
    return record


def test_records_are_private_and_lie_in_the_runtime_directory_alone(scene: Scene) -> None:
    before = {path for path in scene.project.rglob("*") if "__pycache_opt__" not in str(path)}
    scene.refresh()
    record = _record(scene)
    assert record.name == f"python3@{versions()[0]}"
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    assert stat.S_IMODE(record.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE((scene.runtime / shims.CODE).stat().st_mode) == 0o600
    stamps = list(record.parent.glob(f"{record.name}+*"))
    assert stamps
    assert {stat.S_IMODE(path.stat().st_mode) for path in stamps if not path.is_symlink()} == {
        0o600
    }
    assert not list(record.parent.glob(".*"))
    after = {path for path in scene.project.rglob("*") if "__pycache_opt__" not in str(path)}
    assert after == before


def _foreign(path: Path) -> None:
    require_root()
    os.chown(path, 12_345, 12_345)


def _link(path: Path) -> None:
    kept = path.rename(path.with_name("kept"))
    path.symlink_to(kept)


def _short(path: Path) -> None:
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))


def _without_stamps(path: Path) -> None:
    for stamp in path.parent.glob(f"{path.name}+*"):
        stamp.unlink()


def _empty(path: Path) -> None:
    path.write_text("")


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "harm",
    [_foreign, _short, _link, _empty, _fifo, _directory, _without_stamps][: scaled(3, 7, 7)],
)
def test_a_record_that_is_not_the_users_own_or_not_whole_counts_for_nothing(
    scene: Scene, harm: Callable[[Path], object]
) -> None:
    scene.refresh()
    assert scene.passes()
    harm(_record(scene))
    assert not scene.passes()
    scene.compare()


@pytest.mark.parametrize("harm", [_foreign, _link, _directory][: scaled(1, 3, 3)])
def test_code_that_is_not_the_users_own_is_not_run(
    scene: Scene, harm: Callable[[Path], object]
) -> None:
    scene.refresh()
    code = scene.runtime / shims.CODE
    code.write_text("echo run\n")
    assert scene.launch(wrapper=True).out.startswith("run\n")
    harm(code)
    assert not scene.launch(wrapper=True).out.startswith("run\n")


@pytest.mark.parametrize("home", ["relative", "", "/no/such/directory", "."][: scaled(1, 4, 4)])
def test_a_project_brings_no_code_for_the_wrapper(scene: Scene, home: str) -> None:
    for path in (scene.project / "shims.sh", scene.project / "relative" / "shims.sh"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("echo run\n")
        shutil.copy(scene.runtime / "launch.py", path.with_name("launch.py"))
    scene.compare(env={"HOOKS_COMPILE_HOME": home})


@pytest.mark.parametrize(
    "value", ["$(touch mark)", "`touch mark`", "'; touch mark; '", "*", "a b"][: scaled(1, 5, 5)]
)
def test_what_a_record_holds_is_data(scene: Scene, value: str) -> None:
    scene.refresh()
    record = _record(scene)
    lines = record.read_text().splitlines()
    for i in range(len(lines)):
        changed = [*lines[:i], value, *lines[i + 1 :]]
        record.write_text("\n".join(changed) + "\n")
        assert scene.launch(wrapper=True).status == 3
        assert not (scene.project / "mark").exists()


def test_a_root_of_any_name_is_data_as_well(tmp_path: Path) -> None:
    scene = Scene.create(tmp_path / "a ' * ? é \\n", *versions()[:1])
    scene.refresh()
    scene.compare()
    assert not (scene.project / "mark").exists()


# --- what is recorded -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plugin", "why"),
    [
        ("mine/etc/pyenv.d/which/x.bash", "may choose otherwise each time"),
        ("Zebra/bin/x", ""),
        ("mine/etc/pyenv.d/rehash/x.bash", ""),
    ][:: scaled(2, 1, 1)],
)
def test_a_plugin_that_can_not_be_followed_keeps_the_shim(
    scene: Scene, plugin: str, why: str
) -> None:
    path = scene.root / "plugins" / plugin
    path.parent.mkdir(parents=True)
    path.write_text("")
    scene.settle()
    bypass = scene.refresh()
    assert (bypass.binary is None) == bool(why)
    assert why in bypass.why
    scene.compare()


def test_a_shim_that_sets_more_than_is_known_keeps_its_place(scene: Scene) -> None:
    _edited_command(scene)
    scene.settle()
    assert scene.refresh().why == "it sets MINE in ways of its own"
    assert not scene.passes()
    assert scene.compare().seen["env"]["MINE"] == "1"


def test_what_is_no_shim_of_pyenv_is_asked(scene: Scene) -> None:
    other = scene.top / "other" / "shims" / "python3"
    other.parent.mkdir(parents=True)
    python = scene.root / "versions" / versions()[1] / "bin" / "python3"
    other.write_text(f'#!/bin/sh\nexec "{python}" "$@"\n')
    other.chmod(0o755)
    path = os.pathsep.join([str(other.parent), *SYSTEM])
    assert scene.refresh(PATH=path).why == "it is no shim of pyenv"
    (scene.top / "other" / "versions").mkdir()
    assert "of no pyenv that is known" in scene.refresh(PATH=path).why
    scene.compare(env={"PATH": path})
    nothing = shims.bypass_of(
        scene.runtime, "python3", cwd=scene.project, env={"PATH": str(python.parent)}
    )
    assert nothing is None


def test_a_shim_that_does_not_start_a_python_is_asked(scene: Scene) -> None:
    shutil.rmtree(scene.root / "libexec")
    (scene.root / "shims" / "python3").chmod(0o755)
    assert "it answers: " in scene.refresh().why
    assert not scene.passes()


def test_a_version_that_is_a_script_around_another_python_is_asked(scene: Scene) -> None:
    """PATH decides about the system's Python, but not about the one that the script names."""
    binary = scene.root / "versions" / "own" / "bin" / "python3"
    binary.parent.mkdir(parents=True)
    binary.write_text('#!/bin/sh\nexec /usr/bin/python3 "$@"\n')
    binary.chmod(0o755)
    scene.settle()
    os.utime(binary, (LONG_AGO, LONG_AGO))
    scene.choose("own\n")
    assert "is a script" in scene.refresh().why
    other = scene.top / "other"
    other.mkdir()
    (other / "python3").symlink_to(real_root() / "versions" / versions()[1] / "bin" / "python3")
    path = os.pathsep.join([str(scene.root / "shims"), str(other), *SYSTEM])
    assert scene.compare(env={"PATH": path}).seen["executable"] == "/usr/bin/python3"


def test_a_runtime_directory_that_can_not_be_written_records_nothing(
    scene: Scene,
) -> None:
    (scene.runtime / shims.DIRECTORY).write_text("")
    assert "no record can be written" in scene.refresh().why
    scene.compare()


def test_the_tool_itself_may_run_under_the_shim(scene: Scene) -> None:
    scene.choose(f"{minor(versions()[1])}\n")
    inner = scene.compare().seen["env"]
    assert inner["PYENV_DIR"]
    bypass = shims.bypass_of(
        scene.runtime, "python3", cwd=scene.project, env=inner | scene.env, record=True
    )
    assert bypass
    assert bypass.binary
    assert scene.passes()


def test_a_second_refresh_writes_nothing(scene: Scene) -> None:
    scene.refresh()
    files = [*(scene.runtime / shims.DIRECTORY).iterdir(), scene.runtime / shims.CODE]
    before = [(file.lstat().st_ino, file.lstat().st_ctime_ns) for file in files]
    assert scene.refresh().binary
    assert [(file.lstat().st_ino, file.lstat().st_ctime_ns) for file in files] == before


def test_code_of_another_version_of_the_tool_is_replaced(scene: Scene) -> None:
    scene.refresh()
    (scene.runtime / shims.CODE).write_text("# older\n")
    assert scene.refresh().binary
    assert scene.passes()


def test_a_git_hook_asks_no_shim_whose_choice_is_recorded(scene: Scene) -> None:
    project = Project(scene.project, Config(), (HookSource(scene.hook),), scene.runtime)
    shim = scene.root / "shims" / "python3"

    def interpreters() -> list[Path]:
        rules = for_unattended(project, scene.env)
        return [each.executable for each in find_interpreters(project, rules, strict=False)]

    expected = [scene.root / "versions" / versions()[0] / "bin" / "python3"]
    assert interpreters() == expected
    scene.refresh()
    recorded = shim.stat().st_mtime_ns
    shim.write_text("#!/bin/sh\nexit 1\n")
    assert interpreters() == []  # another shim than was recorded
    os.utime(shim, ns=(recorded, recorded))
    assert interpreters() == expected


# --- what the tool tells --------------------------------------------------------------------------


def told(scene: Scene, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run ``hooks-compile WORDS`` in the project."""
    command = [sys.executable, "-m", "hooks_compile", *words]
    git = {"GIT_CEILING_DIRECTORIES": str(scene.top), "PYTHONPATH": str(CHECKOUT)}
    return subprocess.run(
        command,
        cwd=scene.project,
        env=scene.env | git | env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_compile_and_status_record_and_the_tool_tells(scene: Scene) -> None:
    shim = scene.root / "shims" / "python3"
    binary = scene.root / "versions" / versions()[0] / "bin" / "python3"
    before = told(scene, "run", "--explain", "hook.py").stderr
    assert f"{shim} is a shim, and each launch asks it, because " in before
    assert "is there yet (hooks-compile compile makes it)" in before
    assert told(scene, "check", "hook.py").returncode == 0
    assert not scene.passes()
    assert told(scene, "compile", "hook.py").returncode == 0
    assert scene.passes()
    answer = json.loads(told(scene, "status", "--json", "hook.py").stdout)
    assert answer["shims"] == [{"shim": str(shim), "binary": str(binary), "asked_because": None}]
    scene.choose(f"{minor(versions()[1])}\n")
    assert not scene.passes()
    shown = " ".join(told(scene, "status", "hook.py").stdout.split())
    assert f"{shim} is a shim: launches go straight to " in shown
    assert scene.passes()
    why = told(scene, "run", "--explain", "hook.py", PYENV_DIR="/").stderr
    assert "each launch asks it, because a shim of pyenv has started all of this" in why
    told(scene, "clean", "--runtime")
    assert not scene.runtime.exists()
    scene.compare()


def configure(scene: Scene, *commands: str) -> None:
    """Let Claude Code run these commands."""
    hooks = [{"hooks": [{"type": "command", "command": each} for each in commands]}]
    settings = scene.project / ".claude" / "settings.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps({"hooks": {"Stop": hooks}}))


def test_the_shims_that_commands_name_are_recorded_and_nothing_else_is_started(
    scene: Scene, tmp_path: Path
) -> None:
    evil = tmp_path / "elsewhere" / "python3"
    evil.parent.mkdir()
    evil.write_text(f"#!/bin/sh\ntouch '{tmp_path}/started'\n")
    evil.chmod(0o755)
    configure(scene, "python hook.py", "python3.99 hook.py", f"{evil} hook.py")
    assert told(scene, "compile").returncode == 0
    python = shims.bypass_of(scene.runtime, "python", cwd=scene.project, env=scene.env)
    assert python
    assert python.binary
    findings = json.loads(told(scene, "doctor", "--json").stdout)
    texts = [each["text"] for each in findings if each["level"] == "problem"]
    assert any("there is no 'python3.99'" in text for text in texts)
    shown = {each["text"] for each in findings if "launches go straight to" in each["text"]}
    assert {text.partition(" is a shim")[0].rpartition("/")[2] for text in shown} == {
        "python",
        "python3",
    }
    assert not (tmp_path / "started").exists()


def test_a_launch_through_a_shim_has_it_recorded_in_the_background(scene: Scene) -> None:
    shims.write_tool(scene.runtime)
    assert not scene.passes()
    scene.launch(wrapper=True)
    deadline = time.monotonic() + 60
    while not scene.passes():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    scene.compare()
    # Once an hour at most.
    (scene.runtime / "shims" / f"python3@{versions()[0]}").unlink()
    asked = (scene.runtime / "shims.asked").stat().st_mtime
    scene.hook.write_text(f"{scene.hook.read_text()}# new\n")
    scene.launch(wrapper=True)
    assert (scene.runtime / "shims.asked").stat().st_mtime == asked


@ci_only
def test_doctor_names_a_shim_that_is_asked(scene: Scene) -> None:
    def finding(level: str) -> dict[str, str]:
        found = json.loads(told(scene, "doctor", "--json").stdout)
        (matching,) = [each for each in found if "is a shim" in each["text"]]
        assert matching["level"] == level, found
        return dict(matching)

    hook = scene.project / ".claude" / "hooks" / "hook.py"
    hook.parent.mkdir(parents=True)
    scene.hook.rename(hook)
    asked = finding("note")
    assert "is there yet" in asked["text"]
    assert asked["remedy"]
    scene.refresh()
    assert "launches go straight to" in finding("ok")["text"]
