"""What few launches need: to compile, store, record, trace, warn, or become plain Python."""

from hooks_compile.launcher.miss.background import is_first_in_an_hour, start_detached
from hooks_compile.launcher.miss.compile_now import compile_and_store, warn
from hooks_compile.launcher.miss.fallback_record import record_fallback, trace
from hooks_compile.launcher.miss.plain_python import become_python, pypy_script, without_first_frame

__all__ = [
    "become_python",
    "compile_and_store",
    "is_first_in_an_hour",
    "pypy_script",
    "record_fallback",
    "start_detached",
    "trace",
    "warn",
    "without_first_frame",
]
