"""What the board will look like, for officers: every page as a picture, with warnings, and a window."""
