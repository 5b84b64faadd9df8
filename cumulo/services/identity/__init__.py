"""Services of the identity family."""
