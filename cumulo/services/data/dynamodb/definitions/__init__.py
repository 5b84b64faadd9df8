"""Tables made, changed, listed and removed; their tags, policies, time to live and insights."""
