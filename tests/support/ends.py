"""Hooks by what they leave behind, and whether a launch of them may end early.

``LEAVES`` are ordinary: whoever launches one must not wait for Python to take it apart. ``ENDS``
leave something behind that shows, or might show, when Python does: it has to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class End:
    """One hook. ``files`` lie beside it; ``minimum`` is the oldest Python that can run it."""

    source: str
    files: Mapping[str, str] = field(default_factory=dict)
    minimum: tuple[int, int] = (3, 8)


LEAVES: Mapping[str, End] = {
    "empty": End(""),
    "print": End("print('one')\nprint('two', end='')\n"),
    "json": End("import json, sys\nprint(json.dumps(json.loads(sys.stdin.read() or '{}')))\n"),
    "usual imports": End(
        "import argparse, dataclasses, datetime, json, os, pathlib, re, shutil, sys, time\n"
        "from typing import Any, Optional\n"
        "print(re.sub(r'a+', 'b', 'caat'), pathlib.Path('x') / 'y')\n"
    ),
    "usual imports, later": End(
        "def main():\n"
        "    import argparse, dataclasses, datetime, json, logging, os, pathlib, re, shutil\n"
        "    import subprocess, tempfile, threading, typing, urllib.parse, uuid\n"
        "    print(re.sub(r'a+', 'b', 'caat'), pathlib.Path('x') / 'y')\n"
        "main()\n"
    ),
    "exit 2": End("import sys\nprint('no', file=sys.stderr)\nsys.exit(2)\n"),
    "exit None": End("import sys\nprint('a')\nsys.exit()\n"),
    "exit True": End("raise SystemExit(True)\n"),
    "exit 255": End("raise SystemExit(255)\n"),
    "exit in a function": End(
        "import json, sys\n"
        "def main():\n"
        "    with open(__file__) as file:\n"
        "        text = file.read()\n"
        "    try:\n"
        "        json.loads(text)\n"
        "    except ValueError as error:\n"
        "        print('no json', file=sys.stderr)\n"
        "        sys.exit(1)\n"
        "main()\n"
    ),
    "exit in the handler of another exit": End(
        "import sys\ntry:\n    sys.exit(3)\nexcept SystemExit:\n    sys.exit(4)\n"
    ),
    "subprocess.run": End(
        "import subprocess\n"
        "print(subprocess.run(['echo', 'x'], capture_output=True, text=True).stdout)\n"
        "print(subprocess.check_output('echo y', shell=True))\n"
    ),
    "files written and closed": End(
        "import pathlib\n"
        "pathlib.Path('out.txt').write_text('whole')\n"
        "with open('more.txt', 'a') as file:\n"
        "    print('line', file=file)\n"
        "del file\n"
    ),
    "temporary files that are gone": End(
        "import tempfile\n"
        "def main():\n"
        "    with tempfile.NamedTemporaryFile() as one, tempfile.TemporaryDirectory() as two:\n"
        "        one.write(b'x')\n"
        "main()\n"
    ),
    "mkstemp": End("import os, tempfile\nn, p = tempfile.mkstemp()\nos.unlink(p)\n"),
    "logging to stderr": End(
        "import logging\n"
        "logging.basicConfig(level=logging.INFO)\n"
        "logging.getLogger('hook').info('said')\n"
    ),
    "logging without a configuration": End("import logging\nlogging.warning('said')\n"),
    "a thread that is done": End(
        "import threading\n"
        "thread = threading.Thread(target=print, args=('in it',))\n"
        "thread.start()\n"
        "thread.join()\n"
    ),
    "a module beside the hook": End(
        "import beside\nprint(beside.answer())\n",
        {"beside.py": "import re\ndef answer():\n    return re.findall(r'\\d', 'a1b2')\n"},
    ),
    "a package beside the hook": End(
        "from beside.inner import VALUE\nprint(VALUE)\n",
        {"beside/__init__.py": "", "beside/inner.py": "VALUE = {1: [2]}\n"},
    ),
    "a namespace package": End("import space.inner\n", {"space/inner.py": "VALUE = 1\n"}),
    "a module made by hand": End(
        "import sys, types\nsys.modules['made'] = types.ModuleType('made')\nimport made\n"
    ),
    "an entry of sys.modules that is no module": End(
        "import sys\nclass Thing: pass\nsys.modules['thing'] = Thing()\n"
        "sys.modules['nothing'] = None\n"
    ),
    "lazy imports that nobody needed": End(
        "lazy import json, logging\nlazy from threading import Thread\nprint('a')\n",
        minimum=(3, 15),
    ),
    "lazy imports, one of them needed": End(
        "import sys\nsys.set_lazy_imports('all')\nimport json, logging, re, threading\n"
        "print(json.dumps([1]), 'logging' in sys.modules)\n",
        minimum=(3, 15),
    ),
    "annotations": End(
        "a: int = 1\ndef f(b: a) -> c: ...\nclass D:\n    e: f\n",
        minimum=(3, 14),  # before, Python looks up ``c`` at once
    ),
    "garbage in circles": End("a = []\na.append(a)\ndel a\nclass A: pass\nb = A()\nb.b = b\n"),
    "enum, dataclass, namedtuple, protocol": End(
        "import collections, dataclasses, enum\n"
        "class Colour(enum.Enum):\n    RED = 1\n"
        "@dataclasses.dataclass\nclass Point:\n    x: int\n"
        "Pair = collections.namedtuple('Pair', 'a b')\n"
        "print(Colour.RED, Point(1), Pair(1, 2))\n"
    ),
    "abstract classes and singledispatch": End(
        "import abc, functools\n"
        "class Base(abc.ABC):\n    @abc.abstractmethod\n    def run(self): ...\n"
        "Base.register(int)\n"
        "@functools.singledispatch\ndef told(x): return 'any'\n"
        "@told.register(int)\ndef _(x): return 'int'\n"
        "print(isinstance(1, Base), told(1))\n"
    ),
    "weak references without callbacks": End(
        "import weakref\nclass A: pass\na = A()\nr = weakref.ref(a)\n"
        "s = weakref.WeakSet([a])\nk = weakref.WeakKeyDictionary({a: 1})\n"
        "v = weakref.WeakValueDictionary({1: a})\n"
    ),
    "a finalizer that is done": End(
        "import weakref\nclass A: pass\na = A()\nf = weakref.finalize(a, print, 'gone')\nf()\n"
    ),
    "a finalizer that was called off": End(
        "import weakref\nclass A: pass\na = A()\nf = weakref.finalize(a, print)\nf.detach()\n"
    ),
    "thread-local values": End(
        "import threading\nlocal = threading.local()\nlocal.value = 1\nprint(local.value)\n"
    ),
    "context variables": End(
        "import contextvars\nv = contextvars.ContextVar('v')\nv.set([1])\n"
        "c = contextvars.copy_context()\n"
    ),
    "a decimal context": End("import decimal\ndecimal.getcontext().prec = 3\n"),
    "a locale": End("import locale\nlocale.setlocale(locale.LC_ALL, 'C')\n"),
    "an ExitStack with nothing to do": End(
        "import contextlib\nstack = contextlib.ExitStack()\nstack.callback(print, 'never')\n"
    ),
    "signal handlers": End(
        "import signal\nsignal.signal(signal.SIGTERM, lambda *a: print('never'))\n"
    ),
    "other hooks of sys": End(
        "import sys, threading\n"
        "sys.excepthook = lambda *a: print('never')\n"
        "sys.unraisablehook = lambda a: print('never')\n"
        "threading.excepthook = lambda a: print('never')\n"
        "sys.displayhook = print\n"
    ),
    "ignored warnings": End(
        "import warnings\nwarnings.filterwarnings('ignore')\nwarnings.warn('never')\n"
    ),
    "warnings shown": End("import warnings\nwarnings.warn('now')\n"),
    "a closed stdout": End("import sys\nprint('first')\nsys.stdout.close()\n"),
    "a reconfigured stdout": End(
        "import sys\nsys.stdout.reconfigure(encoding='latin-1', line_buffering=True)\n"
        "print('\\xe9', end='')\n"
    ),
    "a stdout that was redirected for a while": End(
        "import contextlib, os\n"
        "with open(os.devnull, 'w') as null, contextlib.redirect_stdout(null):\n"
        "    print('never')\n"
        "del null\n"
    ),
    "bytes to the buffer": End("import sys\nsys.stdout.buffer.write(b'\\xff\\x00 end')\n"),
    "sockets and scandir left open": End(
        "import os, socket\ns = socket.socket\nleft = os.scandir('.')\nnext(left)\n"
    ),
    "a fork whose child exits": End(
        "import os, sys\n"
        "print('both', flush=True)\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    print('child', end='')\n"
        "    sys.exit(5)\n"
        "print(os.waitpid(child, 0)[1])\n"
    ),
    "FileHandler": End(
        "import logging\nlogging.basicConfig(filename='out.log', format='%(message)s')\n"
        "logging.warning('said')\n"
    ),
    "a file that is read": End("f = open(__file__)\nf.readline()\n"),
    "files that are closed": End(
        "f = [open('out%d.txt' % i, 'w') for i in range(3)]\n"
        "for g in f:\n    g.write('x')\n    g.close()\n"
    ),
    "few frames left": End("import sys\nsys.setrecursionlimit(30)\nprint('a')\n"),
    "a class that asks": End(
        "class Meta(type):\n"
        "    def __eq__(self, other): print('asked'); return True\n"
        "    def __hash__(self): print('asked'); return 1\n"
        "    def __getattribute__(self, name):\n"
        "        print('asked', name)\n"
        "        return type.__getattribute__(self, name)\n"
        "    def __getattr__(self, name): print('asked', name); return 1\n"
        "    def __instancecheck__(self, one): print('asked')\n"
        "    def __subclasscheck__(self, one): print('asked')\n"
        "class Asks(metaclass=Meta): pass\n"
        "one = Asks()\n"
    ),
    "a class that cannot be hashed": End(
        "class Meta(type):\n"
        "    def __eq__(self, other): return True\n"
        "class A(metaclass=Meta): pass\n"
        "one = A()\n"
    ),
    "an object that lies about its class": End(
        "import weakref\n"
        "class Lies:\n"
        "    @property\n"
        "    def __class__(self): print('asked'); return type\n"
        "    def __getattr__(self, name): print('asked', name)\n"
        "class Ref(weakref.ref):\n"
        "    @property\n"
        "    def __class__(self): print('asked'); return type\n"
        "    def __getattribute__(self, name): print('asked', name)\n"
        "    __callback__ = 5\n"
        "one = Lies()\ntwo = Ref(one)\n"
    ),
}

ENDS: Mapping[str, End] = {
    "another writer to stdout": End(
        "import io, sys\nout = io.TextIOWrapper(sys.stdout.buffer, write_through=False)\n"
        "out.write('kept back')\n"
    ),
    "a file in a global that others hold, too": End(
        "f = open('out.txt', 'w')\n"
        "class A:\n    g = f\n    def log(self, to=f): to.write('x')\n"
        "a = A()\na.a = a\na.f = f\na.log()\n"
    ),
    "a text file in a global": End("f = open('out.txt', 'w')\nf.write('text')\n"),
    "a binary file in a global": End("f = open('out.txt', 'wb')\nf.write(b'bytes')\n"),
    "a copy of stdout": End("import os\nout = os.fdopen(os.dup(1), 'w')\nout.write('later')\n"),
    "a file with an encoding that keeps a state": End(
        "f = open('out.txt', 'w', encoding='iso2022_jp')\nf.write('\\u3042')\n"
    ),
    # files
    "a file in a closure": End(
        "def outer():\n    f = open('out.txt', 'w')\n    f.write('x')\n    return lambda: f\n"
        "keep = outer()\n"
    ),
    "a file in a default argument": End(
        "def run(f=open('out.txt', 'w')):\n    f.write('x')\nrun()\n"
    ),
    "a file in a class": End("class A:\n    f = open('out.txt', 'w')\nA.f.write('x')\n"),
    "a file in an object with slots": End(
        "class A:\n    __slots__ = ('f',)\na = A()\na.f = open('out.txt', 'w')\na.f.write('x')\n"
    ),
    "a file deep in containers": End(
        "d = {'a': [({'f': open('out.txt', 'w')},)]}\nd['a'][0][0]['f'].write('x')\n"
    ),
    "a file in a circle of garbage": End(
        "class A: pass\na = A()\na.a = a\na.f = open('out.txt', 'w')\na.f.write('x')\ndel a\n"
    ),
    "a file in the traceback of an exception": End(
        "def run():\n    f = open('out.txt', 'w')\n    f.write('x')\n    1 / 0\n"
        "try:\n    run()\nexcept ZeroDivisionError as error:\n    keep = error\n"
    ),
    "a file in a frame": End(
        "import sys\ndef run():\n    f = open('out.txt', 'w')\n    f.write('x')\n"
        "    return sys._getframe()\nkeep = run()\n"
    ),
    "a file in a module beside the hook": End(
        "import beside\n", {"beside.py": "f = open('out.txt', 'w')\nf.write('x')\n"}
    ),
    "a file in a module made by hand": End(
        "import types\nm = types.ModuleType('m')\nm.f = open('out.txt', 'w')\nm.f.write('x')\n"
    ),
    "a file in an attribute of a library's module": End(
        "import json\njson.f = open('out.txt', 'w')\njson.f.write('x')\n"
    ),
    "a file in a thread-local value": End(
        "import threading\nlocal = threading.local()\nlocal.f = open('out.txt', 'w')\n"
        "local.f.write('x')\n"
    ),
    "a file in a context variable": End(
        "import contextvars\nv = contextvars.ContextVar('v')\nv.set(open('out.txt', 'w'))\n"
        "v.get().write('x')\n"
    ),
    "a file in a cache": End(
        "import functools\n@functools.lru_cache(None)\ndef log():\n"
        "    return open('out.txt', 'w')\nlog().write('x')\n"
    ),
    "tarfile": End("import tarfile\nt = tarfile.open('out.tar', 'w')\n"),
    "codecs.open": End(
        "import io, codecs\nf = codecs.StreamWriter(open('out.txt', 'wb'))\nf.stream.write(b'x')\n"
    ),
    "two files": End(
        "f = open('out.txt', 'w')\ng = open('out.txt', 'a')\nf.write('x')\ng.write('y')\n"
    ),
    "two writers to stdout": End(
        "import io, sys\nf = io.TextIOWrapper(sys.stdout.buffer)\ng = io.TextIOWrapper(f.buffer)\n"
        "f.write('x')\ng.write('y')\n"
    ),
    "a file with another close": End(
        "f = open('out.txt', 'w')\nf.write('x')\nf.close = lambda: print('closed')\n"
    ),
    "a file on something else": End(
        "import io\nclass Raw(io.RawIOBase):\n    def writable(self): return True\n"
        "    def write(self, data): print('got', bytes(data)); return len(data)\n"
        "f = io.TextIOWrapper(io.BufferedWriter(Raw()))\nf.write('x')\n"
    ),
    "a file on something that only looks like one": End(
        "import io\nclass Raw:\n    closed = False\n"
        "    def readable(self): return False\n"
        "    def writable(self): print('asked'); return True\n"
        "    def seekable(self): return False\n"
        "    def write(self, data): print('got', bytes(data)); return len(data)\n"
        "    def flush(self): print('flushed')\n    def close(self): print('closed')\n"
        "f = io.TextIOWrapper(Raw())\nf.write('x')\n"
    ),
    "a file on a full disk": End("f = open('/dev/full', 'w')\nf.write('x')\n"),
    "a file whose descriptor is closed": End(
        "import os\nf = open('out.txt', 'w')\nf.write('x')\nos.close(f.fileno())\n"
    ),
    "a file of a class of one's own": End(
        "import io\nclass File(io.FileIO):\n    def close(self): print('closed'); super().close()\n"
        "f = File('out.txt', 'w')\n"
    ),
    "a file for reading and writing": End("f = open('out.txt', 'w+b')\nf.write(b'x')\n"),
    "a detached file": End("f = open('out.txt', 'w')\nf.write('x')\ng = f.detach()\n"),
    "NamedTemporaryFile": End(
        "import os, tempfile\nt = tempfile.NamedTemporaryFile(dir='.', prefix='t')\n"
        "t.write(b'x')\nprint(os.path.exists(t.name))\n"
    ),
    "TemporaryDirectory": End(
        "import tempfile\nt = tempfile.TemporaryDirectory(dir='.', prefix='t')\n"
    ),
    "SpooledTemporaryFile": End("import tempfile\nt = tempfile.SpooledTemporaryFile()\n"),
    "zipfile": End(
        "import zipfile\nz = zipfile.ZipFile('out.zip', 'w')\n"
        "z.writestr(zipfile.ZipInfo('a.txt'), 'text')\n"
    ),
    "gzip": End("import gzip\ng = gzip.GzipFile('out.gz', 'wb', mtime=0)\ng.write(b'x' * 99)\n"),
    "bz2": End("import bz2\ng = bz2.open('out.bz2', 'wt')\ng.write('x' * 99)\n"),
    "lzma": End("import lzma\ng = lzma.open('out.xz', 'wb')\ng.write(b'x' * 99)\n"),
    "zstd": End(
        "from compression import zstd\nz = zstd.open('out.zst', 'wt')\nz.write('x' * 99)\n",
        minimum=(3, 14),
    ),
    "shelve on dbm.dumb": End(
        "import dbm.dumb, shelve\ns = shelve.Shelf(dbm.dumb.open('out'), writeback=True)\n"
        "s['a'] = [1]\ns['a'].append(2)\n"
    ),
    "dbm.dumb": End("import dbm.dumb\nd = dbm.dumb.open('out')\nd[b'a'] = b'b'\n"),
    "sqlite3": End(
        "import sqlite3\nc = sqlite3.connect('out.db')\nc.execute('create table t (a)')\n"
        "c.commit()\nc.execute('insert into t values (1)')\n"
    ),
    "mmap": End(
        "import mmap\nopen('out.bin', 'wb').write(b'x' * 10)\nf = open('out.bin', 'r+b')\n"
        "m = mmap.mmap(f.fileno(), 0)\nm[0] = 65\ndel f\n"
    ),
    "fileinput": End("import fileinput\nf = fileinput.input([__file__])\nnext(f)\n"),
    # processes, threads
    "Popen that runs": End("import subprocess\np = subprocess.Popen(['sleep', '0.05'])\n"),
    "Popen with a pipe": End(
        "import subprocess\n"
        "p = subprocess.Popen('cat > out.txt', shell=True, stdin=subprocess.PIPE)\n"
        "import atexit\natexit.register(p.wait)\natexit.register(p.stdin.close)\n"
        "p.stdin.write(b'to the child')\n"
    ),
    "os.popen": End("import os\np = os.popen('cat', 'w')\np.write('through a shell')\n"),
    "a thread": End(
        "import threading, time\n"
        "threading.Thread(target=lambda: (time.sleep(0.05), print('later'))).start()\n"
    ),
    "a daemon": End(
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
    ),
    "a timer": End("import threading\nthreading.Timer(0.05, print, ['later']).start()\n"),
    "a pool of threads": End(
        "import concurrent.futures, time\np = concurrent.futures.ThreadPoolExecutor()\n"
        "p.submit(lambda: (time.sleep(0.05), print('later')))\n"
    ),
    "multiprocessing": End(
        "import multiprocessing\nif __name__ == '__main__':\n"
        "    p = multiprocessing.get_context('fork').Process(target=print, args=('child',))\n"
        "    p.start()\n"
    ),
    "asyncio": End(
        "import asyncio\nasync def run():\n    print('ran')\n"
        "loop = asyncio.new_event_loop()\nloop.run_until_complete(run())\nloop.close()\n"
    ),
    "an interpreter": End(
        "from concurrent import interpreters\n"
        "i = interpreters.create()\ni.exec('import atexit; atexit.register(print, 1)')\n",
        minimum=(3, 14),
    ),
    # callbacks
    "atexit": End("import atexit\natexit.register(print, 'bye')\n"),
    "atexit in a module beside the hook": End(
        "import beside\n", {"beside.py": "import atexit\natexit.register(print, 'bye')\n"}
    ),
    "atexit in the place of logging's": End(
        "import atexit, logging, threading\natexit.unregister(logging.shutdown)\n"
        "def bye():\n    global f\n    f = open('out.txt', 'w')\n    f.write('x')\n"
        "atexit.register(bye)\natexit.register(print, 'one more')\n"
    ),
    "a module named logging with one atexit": End(
        "import logging\n",
        {
            "logging.py": "import atexit, threading\ndef bye():\n"
            "    print(threading.main_thread().is_alive())\natexit.register(bye)\n"
        },
    ),
    "atexit that fails": End("import atexit\natexit.register(lambda: 1 / 0)\n"),
    "atexit that exits": End("import atexit, sys\natexit.register(sys.exit, 9)\n"),
    "weakref.finalize": End(
        "import threading, weakref\nclass A: pass\na = A()\n"
        "weakref.finalize(a, lambda: print('bye', threading.main_thread().is_alive()))\n"
    ),
    "a weak reference with print for a callback": End(
        "import weakref\nclass A: pass\na = A()\nr = weakref.ref(a, print)\n"
    ),
    "a weak reference with a partial for a callback": End(
        "import functools, weakref\nclass A: pass\na = A()\n"
        "r = weakref.ref(a, functools.partial(print, 'gone'))\n"
    ),
    "a weak reference with a function for a callback": End(
        "import weakref\nclass A: pass\na = A()\nr = weakref.ref(a, lambda r: print('gone'))\n"
    ),
    "a weak reference with a callback that is named like the library's": End(
        "import weakref\nclass A: pass\na = A()\n"
        "def remove(r):\n    print('gone')\n"
        "remove.__module__ = 'weakref'\nr = weakref.ref(a, remove)\n"
    ),
    "a subclass of a weak reference": End(
        "import weakref\nclass A: pass\na = A()\n"
        "class Ref(weakref.ref):\n    __callback__ = None\n"
        "r = Ref(a, lambda r: print('gone'))\n"
    ),
    "WeakMethod": End(
        "import weakref\nclass A:\n    def run(self): pass\na = A()\n"
        "r = weakref.WeakMethod(a.run, lambda r: print('gone'))\n"
    ),
    "a proxy": End(
        "import weakref\nclass A: pass\na = A()\nr = weakref.proxy(a, lambda r: print('gone'))\n"
    ),
    "a proxy that can be called": End(
        "import weakref\ndef f(): pass\nr = weakref.proxy(f, lambda r: print('gone'))\n"
    ),
    # objects
    "__del__": End("class A:\n    def __del__(self): print('bye')\na = A()\n"),
    "__del__ that fails": End("class A:\n    def __del__(self): 1 / 0\na = A()\n"),
    "__del__ that was inherited and put there later": End(
        "class A: pass\nclass B(A): pass\nb = B()\nA.__del__ = lambda self: print('bye')\n"
    ),
    "__del__ without a collector": End(
        "class A:\n    __slots__ = ()\n    def __del__(self): print('bye')\na = A()\n"
    ),
    "__del__ of a number": End(
        "class A(int):\n    __slots__ = ()\n    def __del__(self): print('bye', int(self))\n"
        "a = A(5)\n"
    ),
    "__del__ of a class": End(
        "class Meta(type):\n    def __del__(self): print('bye')\nclass A(metaclass=Meta): pass\n"
    ),
    "__del__ of a class of a class": End(
        "class Meta(type): pass\n"
        "class A(metaclass=Meta):\n    __slots__ = ()\n    def __del__(self): print('bye')\n"
        "a = A()\n"
    ),
    "__del__ of a module beside the hook": End(
        "import beside\n",
        {"beside.py": "class A:\n    def __del__(self): print('bye')\na = A()\n"},
    ),
    "__del__ of a value that is held by its exit": End(
        "import sys\nclass A:\n    def __del__(self): print('bye')\n"
        "def run():\n    a = A()\n    a.a = a\n    sys.exit(3)\nrun()\n"
    ),
    "__del__ of what goes with its exit": End(
        "import sys\nclass A:\n    def __del__(self): sys.stderr.write('bye\\n')\n"
        "keep = A()\n"
        "def run():\n    a = A()\n    print('first')\n    sys.exit(3)\nrun()\n"
    ),
    "__release_buffer__": End(
        "class A:\n    def __buffer__(self, flags): return memoryview(b'abc')\n"
        "    def __release_buffer__(self, view): print('released')\n"
        "view = memoryview(A())\n",
        minimum=(3, 12),
    ),
    "a generator": End(
        "def run():\n    try:\n        yield\n    finally:\n        print('bye')\n"
        "g = run()\nnext(g)\n"
    ),
    "a context manager that was entered": End(
        "import contextlib\n@contextlib.contextmanager\ndef run():\n    yield 1\n    print('no')\n"
        "c = run()\nc.__enter__()\n"
    ),
    "a coroutine that nobody awaited": End("async def run(): pass\nkeep = run()\n"),
    "an asynchronous generator": End(
        "async def run():\n    try:\n        yield 1\n    finally:\n        print('bye')\n"
        "g = run()\n"
        "try:\n    g.asend(None).send(None)\nexcept StopIteration:\n    pass\n"
    ),
    # streams
    "another stdout": End("import sys\nsys.stdout = open('out.txt', 'w')\nprint('there')\n"),
    "a stdout of one's own": End(
        "import sys\nclass Out:\n    def write(self, text): sys.__stdout__.write(text.upper())\n"
        "    def flush(self): sys.__stdout__.write('flushed\\n')\n"
        "sys.stdout = Out()\nprint('a')\n"
    ),
    "two stdouts of one's own": End(
        "import sys\nclass Out:\n    def write(self, text): pass\n"
        "    def flush(self): sys.stderr.write('flushed\\n')\n"
        "sys.stdout = sys.__stdout__ = Out()\nprint('a')\n"
    ),
    "no stdout": End("import sys\nprint('a')\nsys.stdout = None\n"),
    "a stdout that was deleted": End("import sys\nprint('a')\ndel sys.stdout\n"),
    "a stderr that was deleted": End("import sys\nprint('a')\ndel sys.stderr\n"),
    "a __stdout__ that was deleted": End("import sys\nprint('a')\ndel sys.__stdout__\n"),
    "a detached stdout": End("import sys\nprint('a')\nsys.stdout.detach()\n"),
    "a stdout in memory": End("import io, sys\nsys.stdout = io.StringIO()\nprint('never')\n"),
    "a stdout whose descriptor is closed": End("import os\nprint('never')\nos.close(1)\n"),
    # logging
    "RotatingFileHandler": End(
        "import logging.handlers\nh = logging.handlers.RotatingFileHandler('out.log')\n"
        "logging.getLogger().addHandler(h)\nlogging.warning('said')\n"
    ),
    "MemoryHandler": End(
        "import logging.handlers\n"
        "h = logging.handlers.MemoryHandler(9, target=logging.StreamHandler())\n"
        "logging.getLogger().addHandler(h)\nlogging.warning('kept until the end')\n"
    ),
    "a handler of one's own": End(
        "import logging, threading\nclass Handler(logging.Handler):\n"
        "    def emit(self, record): pass\n"
        "    def close(self):\n"
        "        print(threading.main_thread().is_alive())\n"
        "        global f\n        f = open('out.txt', 'w')\n        f.write('x')\n"
        "logging.getLogger().addHandler(Handler())\n"
    ),
    "a handler to a stream of one's own": End(
        "import logging\nclass Out:\n    def write(self, text): pass\n"
        "    def flush(self): print('flushed')\n"
        "logging.getLogger().addHandler(logging.StreamHandler(Out()))\n"
    ),
    # exits
    "exit -1": End("raise SystemExit(-1)\n"),
    "exit 256": End("raise SystemExit(256)\n"),
    "exit with a huge number": End("raise SystemExit(1 << 70)\n"),
    "exit with a text": End("import sys\nsys.exit('why')\n"),
    "exit with an empty text": End("import sys\nsys.exit('')\n"),
    "exit with a float": End("import sys\nsys.exit(1.0)\n"),
    "exit with an object": End(
        "import sys\nclass A:\n    def __str__(self): return 'told'\nsys.exit(A())\n"
    ),
    "exit with a number of one's own": End("class N(int): pass\nraise SystemExit(N(4))\n"),
    "an exit of one's own": End("class Exit(SystemExit): pass\nraise Exit(4)\n"),
    "an error": End("def run(): return 1 / 0\nrun()\n"),
    "an error while another is handled": End(
        "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('b') from e\n"
    ),
    "an interrupt": End("raise KeyboardInterrupt\n"),
    # the interpreter
    "warnings of open sockets": End(
        "import warnings, _socket\nwarnings.simplefilter('always')\ns = _socket.socket()\n"
    ),
    "warnings of open directories": End(
        "import warnings, os\nwarnings.resetwarnings()\ns = os.scandir('.')\nnext(s)\n"
    ),
    "ignored warnings of something else": End(
        "import warnings, os\nwarnings.simplefilter('always')\n"
        "warnings.filterwarnings('ignore', 'something else')\ns = os.scandir('.')\nnext(s)\n"
    ),
    "PYTHONINSPECT set by the hook": End("import os\nos.environ['PYTHON' + 'INSPECT'] = '1'\n"),
    "faulthandler": End("import faulthandler\nfaulthandler.enable()\n"),
    "tracemalloc": End("import tracemalloc\ntracemalloc.start()\n"),
    "what ctypes has printed": End(
        "import ctypes, sys\nctypes.CDLL(None).printf(b'in a buffer of C\\n')\n"
    ),
    "the collector": End(
        "import gc\ngc.callbacks.append(lambda *a: None)\nprint(gc.isenabled())\n"
    ),
    "the collector, in a module beside the hook": End(
        "import beside\n",
        {"beside.py": "import gc\nf = open('out.txt', 'w')\nf.write('x')\ngc.freeze()\n"},
    ),
    "an audit hook, in a module beside the hook": End(
        "import beside\n",
        {
            "beside.py": "import sys\nsys.addaudithook(\n"
            "    lambda e, a: e.startswith(('cpython', 'gc')) and print(e)\n)\n"
        },
    ),
    "an audit hook": End("import sys\nsys.addaudithook(lambda event, arguments: print(event))\n"),
    "no modules": End("import sys\nprint('a')\nsys.modules.clear()\n"),
    "other modules": End("import sys\nprint('a')\nsys.modules = {}\n"),
    "a module that asks": End(
        "import sys, types\nclass Module(types.ModuleType):\n"
        "    def __getattribute__(self, name): print('asked', name); return 1\n"
        "sys.modules['threading'] = sys.modules['os'] = Module('os')\n"
    ),
}
