"""For code of other threads: run a program in a run that goes on elsewhere (semantics 8)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from segue._portal import Portal
    from segue._typing import R, Runnable


def run(portal: Portal, program: Runnable[R, Any], /, *, timeout: float | None = None) -> R:
    """Run a program in the run that opened the portal, and wait for it. Not for the run's own thread, which would hang.

    Args:
        portal: What `open_portal` gave.
        program: A program or an effect.
        timeout: How long to wait, in seconds; the program goes on past it.

    Returns:
        What it comes to.

    Raises:
        BaseException: What it fails with.
        TimeoutError: It took longer.
        RunClosedError: The run is over.
        TypeError: `program` is neither a program nor an effect.

    Example:
        >>> import threading
        >>> from segue import Pure, Sleep, do, from_thread, open_portal, run, scheduler
        >>> got = []
        >>> @do
        ... def program():
        ...     portal = yield open_portal()
        ...     threading.Thread(target=lambda: got.append(from_thread.run(portal, Pure(3)))).start()
        ...     while not got:
        ...         yield Sleep(0.001)
        >>> run(program(), handlers=[scheduler]).is_ok(), got
        (True, [3])
    """
    return portal.start(program).result(timeout)
