"""Buckets: they come and go, are listed, and have settings."""
