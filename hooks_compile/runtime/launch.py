# PYTHON [flags] launch.py SCRIPT [ARGS]: hooks-compile's launcher. Python compiles this file at
# each launch, so it is short: launcher.py does the work, prepare.py compiles it the first time.
# The script runs in this very __main__ module, above the frame of the last line and no other.
import _imp, marshal, posix, sys

_scope = {"folder": __file__[:-9], "build": "@BUILD@"}
try:
    _file = f"{__file__[:-9]}@BUILD@.{sys.implementation.cache_tag}-{sys.hexversion:x}.bin"
    _file = posix.open(_file, posix.O_NOFOLLOW | posix.O_NONBLOCK)
    _data = posix.read(_file, 65536), posix.fstat(_file).st_uid, posix.close(_file)
    if _data[1] != posix.geteuid() or _data[0][:8] != _imp.source_hash(0, _data[0][8:]):
        raise OSError
    _data = marshal.loads(_data[0][8:])
except OSError:
    try:
        with open(__file__[:-9] + "@BUILD@.prepare.py") as _file:
            exec(_file.read(), _scope)
    except OSError:  # half installed, or being replaced just now: as if we were not there
        _data = list(getattr(sys, "orig_argv", [sys.executable] + sys.argv))
        posix.execv(sys.executable, _data.remove(sys.argv[0]) or _data)
    _data = _scope["prepare"]()
exec(_data[0], _scope)
exec(_data[1], _scope)
with _scope["Launch"](globals(), _data[2]) as _launch:
    _launch()()
