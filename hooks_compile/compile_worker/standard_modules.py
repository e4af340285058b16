"""The standard modules that hooks usually import, checked for two uses."""

from typing import FrozenSet


def names(text: str) -> FrozenSet[str]:
    """Return the words of ``text``: a long list of names reads better so."""
    return frozenset(text.split())


# An import of such a module can be made ahead of the hook: nobody can notice it, and no object
# stays that acts at the end of the process (tests/compile_worker/test_notes.py). Their submodules
# count as well. Nothing in them reads the docstrings of a hook, except by the words that level.py
# knows.
MODULES = names(
    """
    __future__ abc argparse ast base64 bisect calendar codecs collections configparser contextlib
    contextvars copy csv dataclasses datetime decimal difflib enum errno fcntl fnmatch fractions
    functools getopt getpass glob gzip hashlib heapq hmac html inspect io ipaddress itertools json
    logging math mimetypes numbers operator optparse os pathlib pickle platform pprint pwd queue
    random re reprlib secrets select shlex shutil signal socket sqlite3 stat statistics string
    struct subprocess sys tarfile tempfile textwrap threading time tokenize tomllib traceback types
    typing unicodedata urllib uuid warnings weakref zipfile zlib zoneinfo
    """
)
# Those of them that compile regular expressions when they are imported, or whose imports do.
WITH_PATTERNS = names(
    """
    argparse configparser dataclasses glob html http.client json locale logging optparse pathlib
    pickle platform pprint shlex string tempfile textwrap tokenize tomllib traceback typing
    urllib.error urllib.parse urllib.request uuid zipfile
    """
)
# From this version on these import ``re`` only when they need it.
LAZY_SINCE = {
    (3, 13): names("typing uuid"),
    (3, 14): names("locale optparse pickle pprint shlex string"),
    (3, 15): names("dataclasses pathlib tomllib"),
}
