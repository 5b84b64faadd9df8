"""Roles that services make: by templates, and linked to them."""
