"""Real saves: after each of them the hook is compiled, and its next launch hits."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.support import watching as running
from tests.support.launches import User
from tests.support.repositories import GitRepo, write
from tests.support.tiers import scaled
from tests.support.watching import HOOK, wait_until, wait_warm
from tests.watcher.conftest import Scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.watching import Watcher

NEW = HOOK.format("second")


def shell(*words: str | Path, cwd: Path) -> None:
    subprocess.run(list(map(str, words)), cwd=cwd, check=True, capture_output=True)


def require(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


def vim(hook: Path, settings: str) -> None:
    require("vim")
    script = ["-c", f"set {settings}", "-c", "%s/first/second/", "-c", "wq"]
    shell("vim", "-es", "-u", "NONE", *script, hook, cwd=hook.parent)


def vim_as_it_comes(hook: Path) -> None:
    vim(hook, "backupcopy=auto")


def vim_writing_in_place(hook: Path) -> None:
    vim(hook, "backupcopy=yes")


def vim_renaming_a_backup(hook: Path) -> None:
    vim(hook, "backupcopy=no backup")


def vs_code(hook: Path) -> None:
    with hook.open("r+b") as file:
        file.truncate(0)
        file.write(NEW.encode())


def jetbrains(hook: Path) -> None:
    new = hook.with_name(f"{hook.name}___jb_tmp___")
    old = hook.with_name(f"{hook.name}___jb_old___")
    new.write_text(NEW)
    hook.rename(old)
    new.rename(hook)
    old.unlink()


def emacs(hook: Path) -> None:
    lock = hook.with_name(f".#{hook.name}")
    lock.symlink_to("somebody@somewhere.12345:1700000000")
    hook.with_name(f"#{hook.name}#").write_text("import sys\n\npri")
    hook.rename(hook.with_name(f"{hook.name}~"))
    hook.write_text(NEW)
    hook.with_name(f"#{hook.name}#").unlink()
    lock.unlink()


def sed(hook: Path) -> None:
    require("sed")
    shell("sed", "-i", "s/first/second/", hook, cwd=hook.parent)


def copy_with_an_older_time(hook: Path) -> None:
    source = write(hook.parents[2] / "newer.txt", NEW)
    os.utime(source, (1_000_000_000, 1_000_000_000))
    shell("cp", "-p", source, hook, cwd=hook.parent)


def rsync(hook: Path) -> None:
    require("rsync")
    source = write(hook.parents[2] / "from" / hook.name, NEW)
    shell("rsync", "-t", source, hook, cwd=hook.parent)


def tar(hook: Path) -> None:
    require("tar")
    source = write(hook.parents[2] / "from" / hook.name, NEW)
    os.utime(source, (1_000_000_000, 1_000_000_000))
    shell("tar", "cf", "all.tar", "-C", source.parent, hook.name, cwd=hook.parents[2])
    shell("tar", "xf", "all.tar", "-C", hook.parent, cwd=hook.parents[2])


def an_agents_write_tool(hook: Path) -> None:
    draft = hook.with_name(f"{hook.name}.tmp.{os.getpid()}.{time.time_ns()}")
    draft.write_text(NEW)
    draft.chmod(0o755)
    draft.replace(hook)


def rename_from_elsewhere(hook: Path) -> None:
    write(hook.parents[2] / "elsewhere.txt", NEW).replace(hook)


def delete_and_create(hook: Path) -> None:
    hook.unlink()
    hook.write_text(NEW)


def delete_and_create_later(hook: Path) -> None:
    hook.unlink()
    time.sleep(0.4)
    hook.write_text(NEW)


def hard_link_of_a_draft(hook: Path) -> None:
    draft = write(hook.parents[2] / "draft.txt", NEW)
    hook.unlink()
    hook.hardlink_to(draft)
    draft.unlink()


def same_size_and_time(hook: Path) -> None:
    before = hook.stat()
    hook.write_bytes(hook.read_bytes().replace(b"first", b"third"))
    os.utime(hook, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert hook.stat().st_size == before.st_size


def twice_at_once(hook: Path) -> None:
    hook.write_text(HOOK.format("half"))
    hook.write_text(NEW)


def left_open(hook: Path) -> None:
    file = os.open(hook, os.O_WRONLY | os.O_TRUNC)
    os.write(file, NEW.encode())
    time.sleep(1.0)  # longer than a writer is waited for
    os.close(file)


SAVES = [
    *(vim_as_it_comes, vim_writing_in_place, vim_renaming_a_backup, vs_code, jetbrains, emacs),
    *(
        sed,
        copy_with_an_older_time,
        rsync,
        tar,
        an_agents_write_tool,
        rename_from_elsewhere,
    ),
    *(delete_and_create, delete_and_create_later, hard_link_of_a_draft, same_size_and_time),
    *(twice_at_once, left_open),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scene, Watcher]]:
    """A project with a hook for each kind of save, and the watcher that all these tests share."""
    directory = tmp_path_factory.mktemp("saves").resolve()
    user = User.create(directory).with_env(HOME=str(directory))
    root = directory / "project"
    for save in SAVES:
        write(root / ".claude/hooks" / f"{save.__name__}.py", HOOK.format("first"))
    with running.watching(user, root) as watcher:
        watcher.wait_started()
        yield Scene(GitRepo(root), user), watcher


@pytest.mark.parametrize("save", SAVES, ids=lambda save: save.__name__)
def test_a_saved_hook_is_warm_before_its_next_launch(
    project: tuple[Scene, Watcher], save: Callable[[Path], None]
) -> None:
    scene, watcher = project
    hook = scene.root / ".claude/hooks" / f"{save.__name__}.py"
    save(hook)
    assert "first" not in hook.read_text()
    scene.assert_hit(hook)
    assert not watcher.messages("broken")
    assert not watcher.messages("trouble")


def test_a_slow_save_in_pieces_is_neither_reported_nor_compiled_before_it_is_whole(
    scene: Scene,
) -> None:
    cache = scene.hook.parent / "__pycache_opt__"

    def is_left_alone_until_it_is_whole(text: str) -> bool:
        entries, said = set(cache.iterdir()), len(watcher.messages("broken"))
        file = os.open(scene.hook, os.O_WRONLY | os.O_TRUNC)
        for start in range(0, len(text), 12):
            time.sleep(0.15)
            os.write(file, text[start : start + 12].encode())
        os.close(file)
        scene.assert_hit()
        time.sleep(0.5)
        new = [path.name.split(".")[0] for path in set(cache.iterdir()) - entries]
        return new == ["guard"] and len(watcher.messages("broken")) == said

    with scene.watching() as watcher:
        watcher.wait_started()
        # A loaded machine may stop the writer for so long that the file is quiet.
        assert any(is_left_alone_until_it_is_whole(HOOK.format(number)) for number in range(5))


def test_a_hook_that_stays_empty_is_named_as_one_that_allows_everything(scene: Scene) -> None:
    with scene.watching() as watcher:
        watcher.wait_started()
        scene.hook.write_bytes(b"")
        message = watcher.wait_for("changed")
        assert message["empty"]
        assert message["path"] == str(scene.hook)
        scene.assert_hit()


def test_git_switch_there_and_back_finds_both_versions_warm(scene: Scene) -> None:
    scene.repo.git("switch", "--quiet", "--create", "other")
    scene.hook.write_text(NEW)
    scene.repo.commit()
    with scene.watching() as watcher:
        watcher.wait_started()
        for branch in ("main", "other", "main"):
            scene.repo.git("switch", "--quiet", branch)
            scene.assert_hit()
        scene.hook.write_text(HOOK.format("stashed"))
        for stash in ("push", "pop"):
            scene.repo.git("stash", stash, "--quiet")
            scene.assert_hit()
        watcher.wait_for("changed", lambda message: message["results"][0]["state"] == "fresh")


def test_what_no_git_hook_tells_of_is_warm(scene: Scene) -> None:
    """``git apply``, ``stash pop`` of untracked files and ``checkout-index`` fire no git hook."""
    cache, git = scene.hook.parent / "__pycache_opt__", scene.repo.git
    patch = scene.root / "change.patch"
    scene.hook.write_text(NEW)
    patch.write_text(git("diff") + "\n")
    git("checkout", "--", ".")
    with scene.watching() as watcher:
        watcher.wait_started()
        git("apply", str(patch))
        scene.assert_hit()
        shutil.rmtree(cache)
        git("checkout-index", "-f", "-a")
        scene.assert_hit()
        new = write(scene.hook.with_name("untracked.py"), NEW)
        scene.assert_hit(new)
        git("stash", "push", "--quiet", "--include-untracked")
        shutil.rmtree(cache)
        git("stash", "pop", "--quiet")
        scene.assert_hit(new)


def test_git_switch_over_many_changed_hooks(scene: Scene) -> None:
    hooks = [scene.hook.with_name(f"many_{number}.py") for number in range(scaled(200, 2000, 2000))]
    for number, hook in enumerate(hooks):
        hook.write_text(f"print({number})\n")
    scene.repo.commit()
    scene.repo.git("switch", "--quiet", "--create", "other")
    for number, hook in enumerate(hooks):
        hook.write_text(f"print({number}, 'other')\n")
    scene.repo.commit()
    scene.repo.git("switch", "--quiet", "main")
    with scene.watching() as watcher:
        watcher.wait_started()
        scene.repo.git("switch", "--quiet", "other")
        wait_warm(scene.user, *hooks, seconds=90)
        for hook in hooks[:: len(hooks) // 4]:
            scene.assert_hit(hook)
        wait_until(
            lambda: len({message["path"] for message in watcher.messages("changed")}) >= len(hooks),
            lambda: "a line for each",
        )
