# PYTHON [flags] launch.py SCRIPT [ARGS]: hooks-compile's launcher. Python compiles this file at
# each launch, and each word is felt: launcher.py does the work, prepare.py compiles it at first.
# The script runs in this very __main__ module, above the frame of the last line and no other.
import _imp, marshal, posix, sys

_scope = {}
try:
    _file = "%s.@BUILD@.%s-%x" % (__file__, sys.implementation.cache_tag, sys.hexversion)
    _file = posix.open(_file, posix.O_NOFOLLOW | posix.O_NONBLOCK)
    _data = posix.read(_file, 65536), posix.fstat(_file), posix.close(_file)
    _file = _data[0][8:]
    if _data[1].st_uid != posix.geteuid():
        raise OSError
    if _imp.source_hash(sys.hexversion, _file) != _data[0][:8]:
        raise OSError
    exec(marshal.loads(_file), _scope)
except OSError:
    try:
        with open(__file__[:-9] + "prepare.py", "rb") as _file:
            _data = _file.read()
    except OSError:  # half installed, or just being removed: as if we were not there
        _data = (
            "import posix, sys; words = list(getattr(sys, 'orig_argv', [sys.executable] + sys.argv)"
            "); words.remove(sys.argv[0]); python = sys.executable\n"
            "if sys.argv[1][:5] == '--uv=': python, words[:-len(sys.argv) + 2] = '/bin/sh', ['sh', "
            "'-c', 'exec \"$0\" run \"$@\"']\n"
            "posix.execv(python, words)"
        )
    exec(_data, _scope)
with _scope["Launch"](globals()) as _launch:
    _launch()()
