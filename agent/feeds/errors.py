"""Errors of the feed room. The class names the remedy."""


class FeedError(Exception):
    """Base of every error this room raises on purpose. The last good schedule stays in force."""


class Retry(FeedError):  # noqa: N818 - named after the remedy, as the design asks
    """Error raised when the network or the web host failed: try again later, nothing else is wrong."""


class Expired(FeedError):  # noqa: N818
    """Error raised when the newest signatures have run out: the centre must renew them, or somebody
    holds newer ones back."""


class Quarantine(FeedError, ValueError):  # noqa: N818
    """Error raised when a document is genuine but breaks the contract: its author must correct it."""


class Rejected(FeedError):  # noqa: N818
    """Error raised when what came is not what a trusted key signed: stranger, rollback, mix-and-match,
    wrong hash, too big. Nobody should trust that host until somebody has looked."""


class Technician(FeedError):  # noqa: N818
    """Error raised when only somebody at the node can help: no root file, a full or failing disk."""
