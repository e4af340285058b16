"""``python -m watcher`` is ``hooks-watch``."""

import sys

if __name__ == "__main__":
    # Python has put the current directory there, and that may be a clone's.
    if not sys.flags.safe_path:
        del sys.path[0]

    from watcher.command_line import main

    raise SystemExit(main())
