"""The one thread that owns all state: takes an event, asks the pure core what should be true, sends the difference."""
