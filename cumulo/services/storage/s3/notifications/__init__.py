"""Events of a bucket: their configuration, their records, and where they are told."""
