"""Items as they are kept, and what follows from a change of one: streams, undo log, expiry, replication."""
