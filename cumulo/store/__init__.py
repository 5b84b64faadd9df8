"""Ordered keys and values in serializable transactions."""
