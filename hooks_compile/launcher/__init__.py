"""What runs in the hook's process: finds the compiled code of a hook and runs it as ``__main__``.

``install/bundle.py`` assembles these modules into the files of the runtime directory: ``start.py``
with what it imports, ``lifecycle.py`` with what it imports, and one file for each subdirectory,
which is loaded at first use. The code runs in the hook's interpreter, CPython 3.8 and later or
PyPy. It imports only what the bare interpreter has loaded.
"""
