"""``hooks-watch``: compiles hooks as they are saved.

A save comes as an event of watchdog (``observer``) into the queue of the ``loop``. Each ``tree``
decides what the event means. If it means a source, the tree's ``sources`` compile it and return
messages, whose texts are in ``lines``. If there may be other hooks than before, a ``survey`` looks
for them in a thread, and returns what has to be watched as well (``watch_places``).
"""
