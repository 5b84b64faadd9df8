"""Users, groups, roles and instance profiles: they come and go, and have tags, policies and boundaries."""
