"""``hooks-watch``: compiles hooks as they are saved.

watchdog sees a save (``observer``), and the ``loop`` gives the event to its ``tree``. If it names a
source, the tree's ``sources`` compile it; ``lines`` has the texts of what they report. If there may
be other hooks than before, a ``survey`` looks for them, and for what has to be watched.
"""
