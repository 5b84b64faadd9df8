"""Managed policies, their versions and uses, and what a policy document may be."""
