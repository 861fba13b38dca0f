"""A stand-in for lgpio and the kernel behind it: it keeps the rules of lines and records each wire's level.

A wire is True (high), False (low) or None (floating). What happens when the process dies depends on the
kernel: it makes the line an input again and leaves the pull, or (newer ones) leaves the line as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import ModuleType


@dataclass
class Line:
    claimed: bool = False
    output: bool = False
    level: bool = False
    pull: bool | None = None
    wire: list[bool | None] = field(default_factory=lambda: [None])

    def settle(self) -> None:
        now = self.level if self.output else self.pull
        if now != self.wire[-1]:
            self.wire.append(now)


class KernelError(Exception):
    """What lgpio raises."""


class FakeLgpio(ModuleType):
    SET_PULL_UP, SET_PULL_DOWN, SET_PULL_NONE = 32, 64, 128
    BOTH_EDGES, RISING_EDGE, FALLING_EDGE = 3, 1, 2
    error = KernelError

    def __init__(self) -> None:
        super().__init__("lgpio")
        self.lines = {number: Line() for number in range(28)}
        self.handle = 0
        """The chip as the living process has it open; with another handle a dead one calls, in vain."""
        self.busy: set[int] = set()
        self.permitted = True
        self.shorted: set[int] = set()

    def _claim(self, handle: int, number: int, flags: int, *, output: bool, level: bool = False) -> None:
        if handle != self.handle:
            return
        if number in self.busy:
            raise KernelError("'GPIO busy'")
        line = self.lines[number]
        if not line.claimed:  # the flags of a claimed line do not change
            pulls = {self.SET_PULL_UP: True, self.SET_PULL_DOWN: False, self.SET_PULL_NONE: None}
            line.pull = pulls.get(flags, line.pull)
        line.claimed, line.output, line.level = True, output, level
        line.settle()

    def gpiochip_open(self, chip: int) -> int:
        assert chip == 0
        if not self.permitted:
            raise KernelError("'can not open gpiochip'")
        self.handle += 1
        return self.handle

    def gpiochip_close(self, handle: int) -> None:
        if handle == self.handle:
            self.die(persist=False)

    def gpio_claim_input(self, handle: int, number: int, flags: int = 0) -> None:
        self._claim(handle, number, flags, output=False)

    def gpio_claim_output(self, handle: int, number: int, level: int = 0, flags: int = 0) -> None:
        self._claim(handle, number, flags, output=True, level=bool(level))

    def gpio_free(self, handle: int, number: int) -> None:
        line = self.lines[number]
        if handle != self.handle:
            return
        if not line.claimed:
            raise KernelError("'GPIO not allocated'")
        line.claimed = line.output = False
        line.settle()

    def gpio_get_mode(self, handle: int, number: int) -> int:
        return 2 if self.lines[number].output else 0

    def gpio_read(self, handle: int, number: int) -> int:
        return int(bool(self.lines[number].wire[-1]) and number not in self.shorted)

    def gpio_write(self, handle: int, number: int, level: int) -> None:
        line = self.lines[number]
        if handle != self.handle:
            return
        if not line.output:
            raise KernelError("'bad GPIO write'")
        line.level = bool(level)
        line.settle()

    def die(self, *, persist: bool) -> None:
        """The process is gone: no line of Python runs, the kernel takes the lines back."""
        self.handle += 1
        for line in self.lines.values():
            if line.claimed:
                line.claimed = False
                line.output = line.output and persist
                line.settle()
