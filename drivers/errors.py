"""Errors of the touching room. The class names the remedy."""


class DriverError(Exception):
    """Base of every error this room raises on purpose."""


class Retry(DriverError, OSError):  # noqa: N818 - named after the remedy, as the design asks
    """Error raised when a device did not do it this time and may do it the next time."""


class Technician(DriverError):  # noqa: N818 - named after the remedy, as the design asks
    """Error raised when somebody must change the wiring, the rights or the configuration."""


class Closed(DriverError, ValueError):  # noqa: N818 - says what the device is
    """Error raised when a device is used after it was closed: a fault of the program."""
