"""What may be deferred, what any of it imports, and what could see that it was.

``tests/test_deferral_table.py`` holds the first two against every interpreter that it finds:
``python -m tests.import_effects`` shows what it sees.
"""

# Modules whose import, with all that they import in turn, does nothing but define names: it reads
# no clock, environment, locale or folder, keeps no process id or random seed, and registers nothing
# that acts by itself. Their parents (urllib, xml.etree) are empty.
MODULES = frozenset(
    """
    argparse ast base64 collections configparser contextlib copy csv dataclasses datetime difflib
    enum fnmatch functools glob gzip hashlib hmac html html.parser http.client json pathlib platform
    pprint random re secrets shlex shutil socket sqlite3 ssl string subprocess tarfile tempfile
    textwrap traceback types typing urllib.error urllib.parse urllib.request xml.etree.ElementTree
    zipfile
    """.split()
)
# Of them, those that have OpenSSL read its configuration, whose place the environment may tell.
READING = frozenset("hashlib hmac http.client random secrets ssl urllib.request".split())

# The top-level names of all modules that they import, under any interpreter, if only in a try.
SHADOWING = frozenset(
    """
    _abc _ast _bisect _blake2 _bz2 _codecs _collections _collections_abc _colorize _compression
    _csv _datetime _elementtree _functools _hashlib _heapq _io _json _locale _lzma _markupbase
    _opcode _opcode_metadata _operator _posixsubprocess _random _sha2 _sha3 _sha512 _socket _sqlite3
    _sre _ssl _stat _string _struct _tokenize _typing _weakrefset _winapi _wmi abc argparse array
    ast base64 binascii bisect builtins bz2 calendar codecs collections configparser contextlib
    copy copyreg csv dataclasses datetime difflib dis email encodings enum errno fcntl fnmatch
    functools genericpath gettext glob grp gzip hashlib heapq hmac html http importlib inspect io
    ipaddress itertools json keyword linecache locale lzma marshal math msvcrt nt ntpath opcode
    operator org os pathlib platform posix posixpath pprint pwd pyexpat quopri random re reprlib
    secrets select selectors shlex shutil signal socket sqlite3 sre_compile sre_constants sre_parse
    ssl stat string struct subprocess sys tarfile tempfile textwrap threading time token tokenize
    traceback types typing urllib uu warnings weakref xml zipfile zipimport zlib
    """.split()
)

# What dataclasses reads in the module's globals where an annotation is a string.
LOOKED_UP = frozenset(["ClassVar", "InitVar", "KW_ONLY"])
LOOKED_UP_IN = frozenset(["dataclasses", "typing"])

# Names that show a module's globals or what is imported, or run code in them.
NAMES = frozenset(
    """
    __all__ __annotations__ __builtins__ __import__ __loader__ __spec__ breakpoint compile eval
    exec globals help locals
    """.split()
)
# Builtins that show globals where they get no argument.
NAMES_WITHOUT_ARGUMENT = frozenset(["dir", "vars"])

# Attributes, and names to import, that lead to globals, frames, code, or what is imported; or
# change what this process may still open.
ATTRIBUTES = frozenset(
    """
    __annotations__ __annotate__ __builtins__ __code__ __globals__ __import__
    _current_exceptions _current_frames _getframe _getframemodulename
    addaudithook ag_frame chroot cr_frame currentframe f_builtins f_code f_globals f_locals
    get_annotations get_overloads get_type_hints getprofile gettrace gi_frame initgroups meta_path
    modules monitoring path_hooks path_importer_cache reload setegid seteuid setfsuid setgid
    setgroups setprofile setregid setresgid setresuid setreuid setrlimit settrace setuid
    singledispatch singledispatchmethod stack_size tb_frame unshare walk_stack walk_tb
    """.split()
)
# Modules with which a hook can see or do the like, or is called between any two instructions.
WATCHING = frozenset(
    """
    __main__ _thread bdb builtins cProfile code codeop ctypes dis doctest gc imp inspect
    modulefinder pdb pkgutil profile pydoc resource rlcompleter runpy signal symtable timeit trace
    tracemalloc unittest weakref zipimport
    """.split()
)
# With these, an attribute may be named by a string.
BY_STRING = frozenset(["attrgetter", "delattr", "getattr", "hasattr", "methodcaller", "setattr"])

# Modules that are put off, too, where a module of the library, or one beside the hook, imports them
# at its top level by "import name". They are in Python, and importing them can't fail.
NESTED = frozenset(
    """
    argparse ast base64 collections configparser contextlib copy csv dataclasses datetime difflib
    dis enum fnmatch functools gettext glob html inspect ipaddress json linecache pathlib platform
    pprint re shlex shutil string subprocess textwrap tokenize traceback types typing
    urllib.parse
    """.split()
)
# Of them, those that bring importlib.machinery or urllib.parse, which a module beside the hook may
# use without importing it: there, they are imported as it is written.
BRINGING = frozenset("dataclasses inspect pathlib pprint".split())
# What all these modules bring of packages that do not bring it themselves: a hook may use it though
# it does not import it. urllib.request brings all of its own package.
BROUGHT = frozenset(
    """
    collections.abc email.base64mime email.charset email.encoders email.errors email.feedparser
    email.header email.iterators email.message email.parser email.quoprimime email.utils http.client
    importlib.abc importlib.machinery importlib.util urllib.error urllib.parse urllib.response
    """.split()
)
# Modules whose top level asks of re to compile what the entry has ready, and no more; that re is
# not executed then, and flags are plain numbers, nobody can see in them but in FLAGS of json's.
COMPILING = frozenset(
    """
    argparse dataclasses fnmatch gettext glob inspect json.decoder json.encoder json.scanner
    locale logging pathlib platform shlex string textwrap tokenize tomllib._parser tomllib._re
    typing urllib.parse
    """.split()
)
# Modules that every launch has loaded, or that import nothing.
LOADED = frozenset("__future__ abc codecs io os os.path posixpath stat".split())
# Flags of regular expressions, under the names that re gives them.
FLAGS = {
    **dict.fromkeys(("A", "ASCII"), 256),
    **dict.fromkeys(("I", "IGNORECASE"), 2),
    **dict.fromkeys(("M", "MULTILINE"), 8),
    **dict.fromkeys(("S", "DOTALL"), 16),
    **dict.fromkeys(("X", "VERBOSE"), 64),
}
