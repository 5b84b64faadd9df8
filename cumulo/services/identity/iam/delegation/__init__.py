"""Delegation requests: partners ask an account for access for a while."""
