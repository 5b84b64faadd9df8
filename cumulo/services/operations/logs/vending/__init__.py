"""Logs that services of AWS vend: where they come from, where they go, and what brings them there."""
