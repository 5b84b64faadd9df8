"""Functions are invoked: at once, as a stream, or by events that wait their turn and have destinations."""
