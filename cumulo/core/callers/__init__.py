"""Who calls and whether they may: access keys, sessions, roles, the question put to policies."""
