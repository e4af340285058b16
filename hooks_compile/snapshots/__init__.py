"""Snapshots: the memory of a Python that has started, resumed instead of starting Python again.

- ``loader/`` is the native program that resumes one. It checks all keys before it maps anything.
- ``tracee`` and ``steering`` run an unmodified interpreter under ptrace(2), in an address range of
  our own. ``snapshot_keys`` says what a snapshot depends on, ``snapshot_file`` is the format,
  ``maker`` makes one, ``store`` says where they lie.
- What runs inside the interpreter is the launcher: see ``launcher/snapshot/``.

Linux on x86-64 or aarch64 with glibc, and CPython.
"""
