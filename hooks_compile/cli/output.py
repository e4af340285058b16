"""All that ``hooks-compile`` prints, and the one question that it asks.

A clone chooses names and texts that are printed: no terminal obeys them.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
from typing import TYPE_CHECKING

from hooks_compile import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TextIO


def say(text: str, *, file: TextIO | None = None) -> None:
    """Print a text for a person, to stdout if no ``file`` is given."""
    print(printable.lines(text), file=file)


def warn(text: str) -> None:
    """Print a text for a person to stderr."""
    say(text, file=sys.stderr)


def print_error(error: object, program: str = "hooks-compile") -> None:
    """Print an error for a person, after the program's name."""
    warn(f"{program}: {error}")


def print_raw(text: str) -> None:
    """Print a text that another program reads: in UTF-8, with its line ends.

    A terminal gets it as a person does.
    """
    if sys.stdout.isatty():
        say(text.removesuffix("\n"))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode(errors="surrogateescape"))


def print_json(value: object) -> None:
    """Print one JSON document."""
    import json

    print(json.dumps(value, indent=2))


def show(arguments: argparse.Namespace, value: object, lines: Iterable[object]) -> None:
    """Print ``value`` if ``--json`` was given, else ``lines`` for a person."""
    if arguments.json:
        print_json(value)
        return
    for line in lines:
        say(str(line))


def wrapped(text: str) -> str:
    """Return a text in lines that fit the terminal, 100 columns if there is none."""
    import shutil
    import textwrap

    width = max(shutil.get_terminal_size((100, 24)).columns, 40)
    text = printable.one_line(text)
    return textwrap.fill(text, width, subsequent_indent="    ", break_on_hyphens=False)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: fitted to a terminal, in full to a pipe. rich obeys NO_COLOR and TERM."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable.one_line(cell)) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else 10_000, highlight=False)
    console.print(table)


@contextlib.contextmanager
def progress() -> Iterator[Callable[[str, float], None]]:
    """Return a function that shows a step and the share of all that is done, on a terminal.

    Any thread may call it.
    """
    lock = threading.Lock()
    with contextlib.ExitStack() as stack:

        @functools.cache
        def start() -> Callable[..., None]:
            from rich.console import Console
            from rich.progress import Progress

            bar = stack.enter_context(Progress(console=Console(stderr=True), transient=True))
            return functools.partial(bar.update, bar.add_task("", total=1.0))

        def show(step: str, share: float) -> None:
            with lock:
                start()(description=step, completed=share)

        yield show if sys.stderr.isatty() else lambda _step, _share: None


def agrees(question: str) -> bool:
    """Ask a question, and return whether the answer is yes; no if nobody is there to ask."""
    if not sys.stdin.isatty():
        return False
    # If stdout is a file or a pager, the question goes to stderr: a person has to see it.
    out = sys.stdout if sys.stdout.isatty() else sys.stderr
    print(printable.lines(f"{question} [y/N] "), end="", flush=True, file=out)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        print(file=out)
    return answer.strip().lower() in {"y", "yes"}
