"""The documents that pass between a node and a centre, as `docs/contract/` fixes them."""
