"""Function URLs: their settings, the events that requests become, and the answers."""
