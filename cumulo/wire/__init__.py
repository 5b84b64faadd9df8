"""Bytes to values and back: models, routing, protocols, validation, signatures."""
