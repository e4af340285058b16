"""What modules took from the process when they were executed, or registered with the interpreter.

Handlers of fork(2) that ``random``, ``threading`` and ``logging`` registered stay: nobody can see
what they do in a process that does not use these modules.
"""

import _thread
import sys
from types import ModuleType
from typing import Any, Dict


def retract(modules: Dict[str, ModuleType]) -> None:
    """Take back what these modules registered for the end of the process.

    Raises ValueError if there is more than what is known.
    """
    atexit: Any = modules.get("atexit")
    if atexit:
        if atexit._ncallbacks() != ("logging" in modules):
            raise ValueError("a module acts at the end of the process")
        atexit._clear()  # unregister() would leave an empty place before 3.14
    if "re" in modules:
        modules["re"].purge()


def renew_random(random: Any) -> None:
    """Let random numbers be others in each process."""
    random._inst.seed()


def renew_threading(threading: Any) -> None:
    """Give the main thread the id that it has in this process."""
    threading._main_thread._native_id = _thread.get_native_id()


def renew_logging(logging: Any) -> None:
    """Let the time of records count from now, and handlers be closed at the end."""
    time: Any = sys.modules["time"]
    logging._startTime = time.time_ns() if sys.version_info >= (3, 13) else time.time()
    sys.modules["atexit"].register(logging.shutdown)


RENEWALS = {"random": renew_random, "threading": renew_threading, "logging": renew_logging}
"""What is done with a module when it becomes visible."""
