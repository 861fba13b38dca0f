"""A small real centre: publishes a signed feed, signs commands, collects reports; speaks only the contract.

For a demo, for tests, and for a single commune. A station is a folder (`folder.py` says what lies where).
"""
