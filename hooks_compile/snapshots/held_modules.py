"""What the standard snapshot holds for hooks: modules that they see only if they import them."""

from __future__ import annotations

from hooks_compile.compile_worker.standard_modules import names

# What most hooks import comes first: so it lies in the part that launches copy into huge pages.
_USUAL = ("re", "json", "time", "datetime", "pathlib", "subprocess", "typing", "collections")
# Modules of the standard library that hooks and their local modules import. To execute one may
# leave nothing behind that acts later, or starts anything: no thread, open file or callback at the
# end of the process but those that launcher/snapshot/renewal.py knows. The launcher refuses a
# module that changes another one, and tests/snapshots/test_held_modules.py compares each with an
# import under plain Python. A module with libraries that few hooks need costs the others more.
HELD = (
    *_USUAL,
    *sorted(
        names(
            """
            __future__ _strptime abc argparse ast atexit base64 binascii bisect calendar codecs
            collections collections.abc configparser contextlib contextvars copy dataclasses
            datetime difflib email.message enum errno fcntl fnmatch functools getopt getpass glob
            grp gzip hashlib heapq hmac html html.parser http.client importlib importlib.util
            inspect io ipaddress itertools json locale logging math mimetypes numbers operator
            optparse os pathlib platform pprint pwd queue random re reprlib secrets select
            selectors shlex shutil signal socket sqlite3 ssl stat string struct subprocess tarfile
            tempfile textwrap threading time tokenize tomllib traceback types typing unicodedata
            urllib.error urllib.parse urllib.request uuid warnings weakref zipfile zlib
            """
        ).difference(_USUAL)
    ),
)
