"""Identities from elsewhere: providers, and the tokens and assertions that they make."""
