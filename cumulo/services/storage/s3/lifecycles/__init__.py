"""Lifecycle rules and intelligent tiering: what is moved to another class, and what goes, as days pass."""
