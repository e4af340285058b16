# PYTHON [flags] launch.py SCRIPT [ARGS]: the launcher of hooks-compile. Python compiles this file
# at each launch, so each word costs time. What is rare is a text, which Python only reads.
# The script runs in this very __main__ module, above the frame of the last line and no other.
import _imp, marshal, posix, sys

_name = "%s.@BUILD@.%s-%x" % (__file__, sys.implementation.cache_tag, sys.hexversion)
try:
    _file = posix.open(_name, posix.O_NOFOLLOW | posix.O_NONBLOCK)
    _hash, _data, _user = posix.read(_file, 8), posix.read(_file, 65536), posix.fstat(_file).st_uid
    if _hash != _imp.source_hash(sys.hexversion, _data) or _user != posix.geteuid():
        raise OSError
    _scope = {"data": _data}
    exec(marshal.loads(_data), _scope)
    _launch = _scope["Launch"](globals())  # type: ignore[operator] # the code puts it there
except (OSError, KeyError, NameError):
    exec(
        """
try:
    # The launcher is not compiled for this interpreter, or damaged, or a part of it is missing.
    _data = posix.stat(__file__[:-9])
    if _data.st_uid != posix.geteuid() or _data.st_mode & 0o77:
        raise PermissionError
    with open(__file__[:-9] + "prepare.py", "rb") as _data:
        _scope = {}
        exec(_data.read(), _scope)
    _scope["prepare"](_name, "@PARTS@".split(), _scope)
    _launch = _scope["Launch"](globals())
except Exception:
    # It is half installed, damaged, or open to others: become the process that runs the source.
    _data = list(getattr(sys, "orig_argv", [sys.executable] + sys.argv))
    _data.remove(sys.argv[0])
    _name = sys.executable
    if sys.argv[1][:5] == "--uv=":
        _data = ["sh", "-c", 'exec "$0" run "$@"'] + sys.argv[2:]
        _name = "/bin/sh"
    posix.execv(_name, _data)
"""
    )
with _launch, _launch:
    _launch()()
