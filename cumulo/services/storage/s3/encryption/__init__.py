"""Which key seals an object, by its request and its bucket's default."""
