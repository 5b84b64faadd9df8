"""Code that runs."""
