"""What the Linux kernel knows of its wall clock: whether it is disciplined, and when somebody sets it.

adjtimex(2), and timerfd_create(2) with TFD_TIMER_CANCEL_ON_SET. Python 3.11 has neither, and no kept library
offers both, hence ctypes.
"""

from __future__ import annotations

import ctypes
import errno
import logging
import os
import select
import struct
import threading
import time
from collections.abc import Callable

from playlists.units import Seconds

_log = logging.getLogger("loa.clock")


class _Timex(ctypes.Structure):
    """`struct timex` of <sys/timex.h>; what follows `status` is only room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 32),
    )


_libc = ctypes.CDLL(None, use_errno=True)
_STA_UNSYNC = 0x0040
_TIME_ERROR = 5
_TFD_TIMER_ABSTIME = 1
_TFD_TIMER_CANCEL_ON_SET = 2
_FAR_FUTURE_S = 2**40


def discipline() -> tuple[bool, Seconds | None]:
    """Whether the wall clock is being disciplined, and its largest error. A refused question means no."""
    timex = _Timex(modes=0)
    code = _libc.adjtimex(ctypes.byref(timex))
    if code < 0 or code == _TIME_ERROR or timex.status & _STA_UNSYNC:
        return False, None
    return True, Seconds(timex.maxerror / 1_000_000)


class SetTimer:
    """A timer on the wall clock that never rings, but becomes readable when that clock is set."""

    def __init__(self) -> None:
        """Raises OSError: the kernel has no such timer."""
        fd = _libc.timerfd_create(time.CLOCK_REALTIME, os.O_CLOEXEC | os.O_NONBLOCK)
        if fd < 0:
            raise _failure("timerfd_create")
        self._fd = int(fd)
        self._arm()

    def fileno(self) -> int:
        """What to poll."""
        return self._fd

    def was_set(self) -> bool:
        """Whether the clock was set since the last question; arms the timer again."""
        try:
            os.read(self._fd, 8)
        except OSError as error:
            if error.errno == errno.ECANCELED:
                self._arm()
                return True
            if error.errno != errno.EAGAIN:
                raise
        return False

    def close(self) -> None:
        """Give the timer back."""
        os.close(self._fd)

    def _arm(self) -> None:
        when = ctypes.create_string_buffer(struct.pack("@4l", 0, 0, _FAR_FUTURE_S, 0))
        if _libc.timerfd_settime(self._fd, _TFD_TIMER_ABSTIME | _TFD_TIMER_CANCEL_ON_SET, when, None) < 0:
            raise _failure("timerfd_settime")


class JumpWatch:
    """A thread asleep in the kernel until somebody sets the wall clock."""

    def __init__(self, tell: Callable[[Seconds], None], timer: SetTimer | None = None) -> None:
        """`tell` gets about how far the clock was set (positive is forward), on the watch's own thread.

        Raises:
            OSError: the kernel has no timer that tells.
        """
        self._tell = tell
        self._timer = timer or SetTimer()
        self._stop_r, self._stop_w = os.pipe2(os.O_CLOEXEC)
        self._offset_s = time.time() - time.monotonic()
        self._thread = threading.Thread(target=self._run, name="clock-jumps", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; it tells nothing more once this returns."""
        os.write(self._stop_w, b"!")
        self._thread.join()
        self._timer.close()
        os.close(self._stop_r)
        os.close(self._stop_w)

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._timer.fileno(), select.POLLIN)
        poll.register(self._stop_r, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poll.poll()}
            if self._stop_r in ready:
                return
            if self._timer.was_set():
                offset_s = time.time() - time.monotonic()
                by_s, self._offset_s = Seconds(offset_s - self._offset_s), offset_s
                _log.warning("the wall clock was set by %+.3f s", by_s)
                self._tell(by_s)


def _failure(call: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{call}: {os.strerror(number)}")
