"""Anomaly detectors: what they are, their runs, and what they found."""
