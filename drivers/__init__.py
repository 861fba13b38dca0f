"""Touches the hardware: one module a device class, each a small contract, a real driver and a fake."""
