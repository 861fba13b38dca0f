"""The one thread that owns all state: takes events, asks the core what should be true, acts."""
