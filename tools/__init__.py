"""Tools of the developer: what makes the files that are made."""
