# PYTHON [flags] launch.py SCRIPT [ARGS]: hooks-compile's launcher. Python compiles this file at
# each launch, so it is short: launcher.py does the work, prepare.py compiles it the first time.
# The script runs in this very __main__ module, above the frame of the last line and no other.
def _launch():
    import _imp, marshal, posix, sys

    scope = {"folder": __file__[:-9], "build": "@BUILD@"}
    name = f"{__file__[:-9]}@BUILD@.{sys.implementation.cache_tag}-{sys.hexversion:x}.bin"
    try:
        file = posix.open(name, posix.O_RDONLY)
        data, owner = posix.read(file, 1 << 20), posix.fstat(file).st_uid
        posix.close(file)
        if owner != posix.geteuid() or data[:8] != _imp.source_hash(0, data[8:]):
            raise OSError
        entry, launcher, scope["rest"] = marshal.loads(data[8:])
    except OSError:
        with open(f"{__file__[:-9]}@BUILD@.prepare.py") as file:
            exec(file.read(), scope)
        entry, launcher, scope["rest"] = scope["prepare"]()
    exec(entry, scope)
    exec(launcher, scope)
    return scope["Launch"](globals())


with _launch() as _launch:
    _launch()()
