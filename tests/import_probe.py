"""Imports the module that it is told, and prints as JSON what was seen of it.

It runs in the interpreter under test with ``-I -S``, one process for each module, so it has to be
Python 3.8, and import nothing that the module may import before the module does.
"""

import _codecs
import _signal
import _thread
import _warnings
import atexit
import gc
import os
import posix
import sys
import time

# Functions whose call at import time is an effect, or keeps what holds at that time only.
WATCHED = {
    posix: (
        *("urandom", "getpid", "getppid", "getcwd", "getcwdb", "getlogin", "uname", "times"),
        *("getuid", "geteuid", "umask", "cpu_count", "register_at_fork", "getrandom", "putenv"),
        *("sysconf", "getloadavg", "fork", "pipe", "chdir", "kill"),
    ),
    time: ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "tzset", "sleep"),
    _signal: ("signal", "set_wakeup_fd", "setitimer", "alarm"),
    _codecs: ("register", "register_error"),
    atexit: ("register",),
    sys: ("settrace", "setprofile", "setrecursionlimit", "setswitchinterval"),
}
HARMLESS_EVENTS = (
    *("import", "marshal.loads", "exec", "compile", "code.__new__", "sys._getframe", "builtins.id"),
    *("object.__getattr__", "object.__setattr__", "cpython._PySys"),
)

seen = []
asked = []
watching = []


class Finder:
    """Notes what is searched for, if in vain."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        asked.append(name)


class Environment(dict):
    """Notes what is read."""

    def __getitem__(self, key):
        seen.append(f"reads the environment: {key}")
        return dict.__getitem__(self, key)

    def get(self, key, default=None):
        seen.append(f"reads the environment: {key}")
        return dict.get(self, key, default)

    def __contains__(self, key):
        seen.append(f"reads the environment: {key}")
        return dict.__contains__(self, key)


def recording(label, function):
    def recorded(*arguments, **named):
        seen.append(f"calls {label}{arguments!r:.60}")
        return function(*arguments, **named)

    return recorded


def audit(event, arguments):
    if not watching or event.startswith(HARMLESS_EVENTS):
        return
    library = (sys.base_prefix + "/lib", os.path.dirname(os.__file__))
    if event in ("open", "os.listdir", "os.scandir") and str(arguments[0]).startswith(library):
        return
    seen.append(f"audit: {event} {arguments!r:.80}")


def umask():
    current = posix.umask(0o22)
    posix.umask(current)
    return current


def state():
    """Return what a module could change in the process."""
    unseen = ("modules", "path_importer_cache", "meta_path")
    values = {f"sys.{k}": repr(v) for k, v in vars(sys).items() if k not in unseen}
    return {
        **values,
        "signals": [repr(_signal.getsignal(n)) for n in range(1, 65) if n not in (32, 33)],
        "warnings": repr((_warnings.filters, _warnings._defaultaction)),
        "atexit": atexit._ncallbacks(),
        "threads": _thread._count(),
        "files": sorted(posix.listdir("/proc/self/fd"))[:-1],
        "gc": (gc.isenabled(), gc.get_threshold(), len(gc.callbacks)),
        "limits": (sys.getrecursionlimit(), sys.getswitchinterval(), sys.gettrace()),
        "environment": repr(posix.environ),
        "folder": posix.getcwd(),
        "umask": umask(),
    }


def globals_of(modules):
    return {m: {k: id(v) for k, v in vars(sys.modules[m]).items()} for m in modules}


def import_watched(name, mark):
    """Import the module, with all functions of WATCHED replaced meanwhile.

    A system call that names ``mark`` tells strace where it begins, and one where it ends.
    """
    patched = []
    for module, functions in WATCHED.items():
        for function in functions:
            for holder in (os, posix) if module is posix else (module,):
                real = getattr(holder, function, None)
                if real is not None:
                    setattr(holder, function, recording(f"{module.__name__}.{function}", real))
                    patched.append((holder, function, real))
    environment, os.environ = os.environ, Environment(os.environ)
    sys.addaudithook(audit)
    sys.meta_path.insert(0, Finder)
    watching.append(True)
    posix.access(mark, 0)
    __import__(name)
    posix.access(mark, 0)
    watching.clear()
    sys.meta_path.remove(Finder)
    os.environ = environment  # noqa: B003 - the real one again
    for holder, function, real in patched:
        setattr(holder, function, real)


def main(name, mark):
    modules_before = list(sys.modules)
    before, globals_before = state(), globals_of(modules_before)
    import_watched(name, mark)
    after, globals_after = state(), globals_of(modules_before)
    new = set(sys.modules) - set(modules_before)
    seen.extend(f"changes {key}" for key in before if before[key] != after.get(key))
    seen.extend(f"adds {key}" for key in after.keys() - before.keys())
    for module, values in globals_after.items():
        for key, value in values.items():
            was = globals_before[module].get(key)
            if was != value and f"{module}.{key}" not in new and module != "__main__":
                seen.append(f"changes {module}.{key}")
    kinds = getattr(sys.modules.get("copyreg"), "dispatch_table", ())
    known = {*new, "builtins", "types"}
    seen.extend(f"copyreg knows {kind}" for kind in kinds if kind.__module__ not in known)
    import json

    print(json.dumps({"effects": sorted(set(seen)), "imports": sorted({*asked, *new})}))


if __name__ == "__main__":
    main(*sys.argv[1:])
