"""Services of the data family."""
