"""Services of the messaging family."""
