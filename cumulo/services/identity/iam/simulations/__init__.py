"""The policy simulator."""
