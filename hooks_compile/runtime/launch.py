# PYTHON [flags] launch.py SCRIPT [ARGS]: hooks-compile's launcher. Python compiles this file at
# each launch, and each word is felt: launcher.py does the work, prepare.py compiles it at first.
# The script runs in this very __main__ module, above the frame of the last line and no other.
import _imp, marshal, posix, sys

_scope = {}
try:
    _file = posix.open(
        "%s.@BUILD@.%s-%x" % (__file__, sys.implementation.cache_tag, sys.hexversion),
        posix.O_NOFOLLOW | posix.O_NONBLOCK,
    )
    _hash, _data, _user = posix.read(_file, 8), posix.read(_file, 65536), posix.fstat(_file).st_uid
    if _hash != _imp.source_hash(sys.hexversion, _data) or _user != posix.geteuid():
        raise OSError
    exec(marshal.loads(_data), _scope)
except OSError:
    exec(
        """
try:
    with open(__file__[:-9] + "prepare.py", "rb") as _data:
        _data = _data.read()
except OSError:  # half installed, or just being removed: as if we were not there
    _data = list(getattr(sys, "orig_argv", [sys.executable] + sys.argv))
    _data.remove(sys.argv[0])
    _file = sys.executable
    if sys.argv[1][:5] == "--uv=":
        _data[: 2 - len(sys.argv)] = ["sh", "-c", 'exec "$0" run "$@"']
        _file = "/bin/sh"
    posix.execv(_file, _data)
exec(_data, _scope)
"""
    )
with _scope["Launch"](globals()) as _launch, _launch:
    _launch()()
