"""What a technician sends to whoever can help: gathered, without secrets, bounded."""
