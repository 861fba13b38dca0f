"""Brings a node to another release: signed, tried before it speaks, and left again when it does not work."""
