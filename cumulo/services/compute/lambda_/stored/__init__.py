"""What there is of a function: the records, how they are named, found and shown."""
