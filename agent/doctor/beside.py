"""The same question to several at once, within a bound."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def beside(ask: Callable[[Item], Result], items: Sequence[Item], within_s: float) -> list[Result | None]:
    """What `ask` returns for each; None for one that has not answered in time, or raised.

    Who does not answer is left behind on a thread that ends with the program: name look-ups cannot be broken off.
    """
    answers: queue.SimpleQueue[tuple[int, Result]] = queue.SimpleQueue()
    deadline = time.monotonic() + within_s

    def run(number: int, item: Item) -> None:
        answers.put((number, ask(item)))

    for number, item in enumerate(items):
        threading.Thread(target=run, args=(number, item), daemon=True).start()
    found: list[Result | None] = [None] * len(items)
    for _ in items:
        try:
            number, answer = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        found[number] = answer
    return found
