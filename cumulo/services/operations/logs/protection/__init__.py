"""Data protection: what is sensitive in a message, and asterisks in its place. It knows no groups and no state."""
