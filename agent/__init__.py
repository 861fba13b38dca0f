"""The daemon: it wires what `playlists` decides to what `drivers` touch."""

__version__ = "0.1.0"
