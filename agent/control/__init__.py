"""The local socket: what a technician's `loa` asks of the running daemon."""
