"""Errors of the update room. Whatever is raised, the version that ran before goes on running."""


class UpdateError(Exception):
    """Base of every error this room raises on purpose."""


class Refused(UpdateError):  # noqa: N818 - named after what becomes of the wish
    """Error raised when a release is not to be installed here: not signed, not newer, made for other machines."""


class Failed(UpdateError):  # noqa: N818
    """Error raised when a release could not be fetched, built or tried, or did not work."""
