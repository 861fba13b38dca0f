"""How a node gets its identity, feeds and broker settings from a centre: both ends of docs/contract/enrolment.md."""
