"""`python -m agent.cli`: the same as `loa`."""

from agent.cli.main import main

main()
