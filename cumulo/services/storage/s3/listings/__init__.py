"""Listings of objects and of their versions."""
