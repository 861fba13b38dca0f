"""Decides what plays and shows. Pure: no I/O, no clock of its own, no threads, no hardware."""
