"""Isolation of one tree of processes: its own files, processes, network, user, limits (see `enter`)."""
