"""Units, in the types. A bare `float` in a signature of this house is a bug waiting for a night."""

from typing import NewType

Seconds = NewType("Seconds", float)
"""A length of time."""

MonotonicS = NewType("MonotonicS", float)
"""An instant on `time.monotonic()`: seconds since boot, never set back, gone after a reboot."""

Decibel = NewType("Decibel", float)
"""A gain; 0 changes nothing."""

DbFs = NewType("DbFs", float)
"""A level; 0 is the largest sine wave a sample can hold, silence is far below -60."""

Level = NewType("Level", int)
"""Ordinal of the issuing level, from the node's own configuration; a bigger number stands higher."""
