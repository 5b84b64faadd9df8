"""Modules that Lambda offers to Python functions beside the standard library: in /var/runtime."""
