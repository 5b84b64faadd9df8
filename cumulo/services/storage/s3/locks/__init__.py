"""Object Lock: retention, legal holds and event holds."""
