"""The play log and the small memory of a node: what survives a power cut, until the centre has it."""

from agent.journal.errors import JournalError, Retry, Technician
from agent.journal.journal import Journal
from agent.journal.medium import RESET_AT

__all__ = ["RESET_AT", "Journal", "JournalError", "Retry", "Technician"]
