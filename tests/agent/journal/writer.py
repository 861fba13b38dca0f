"""A process that writes into a journal until it is killed, and confirms each write in a file."""

import os
from pathlib import Path

from agent.journal import Journal
from playlists.models.record import Record


def write_until_killed(directory: str, run: int, confirmations: str) -> None:
    """Add a line to `confirmations` after each call has returned: what it was, the name, the number."""
    confirm = os.open(confirmations, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    journal = Journal.open(Path(directory), max_mb=50)
    count = 0
    while True:
        count += 1
        name = f"{run}.{count}"
        handle = journal.begin(Record(kind="play", programme=name))
        os.write(confirm, f"begin {name} 0\n".encode())
        done = journal.append(Record(kind="system", text=f"s{name}"))
        os.write(confirm, f"append s{name} {done.seq}\n".encode())
        done = journal.complete(handle, outcome="finished")
        os.write(confirm, f"complete {name} {done.seq}\n".encode())
        if count % 40 == 0:
            journal.stored(journal.stored_through + 1)
            os.write(confirm, f"stored - {journal.stored_through}\n".encode())
