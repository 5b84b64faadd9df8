"""Data protection: what is sensitive in a message, asterisks in its place, and the policies of groups."""
