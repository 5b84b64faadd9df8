"""Objects: written, read, described, deleted, restored."""
