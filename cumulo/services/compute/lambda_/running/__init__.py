"""What runs a function: execution environments, how many there may be, what one call is, logs and metrics of it."""
