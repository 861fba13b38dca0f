"""Asks CAP feeds for alerts, and believes only what a pinned certificate has signed.

`AlertSources` (in `agent.alerts.sources`) is the front door; it is loaded only where the configuration names a
source. XML signatures are checked in a child process (`agent.alerts.verifier`), which alone loads lxml. What the
room tells stands in `agent.alerts.events`.
"""
