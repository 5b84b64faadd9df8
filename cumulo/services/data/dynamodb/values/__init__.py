"""Attribute values and numbers: their checks, their order, their bytes as keys."""
