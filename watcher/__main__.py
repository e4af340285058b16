"""``python -m watcher`` is ``hooks-watch``."""

import sys

if __name__ == "__main__":
    # Python has put the current folder there, which may be a clone's: nothing is imported from it.
    if not sys.flags.safe_path:
        del sys.path[0]

    from watcher.cli import entry_point

    entry_point()
