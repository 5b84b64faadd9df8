"""What calls consume: capacity units, metrics, throttling, key insights."""
