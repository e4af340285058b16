"""``python -m watcher`` is ``hooks-watch``."""

from watcher.cli import entry_point

if __name__ == "__main__":
    entry_point()
