"""Replication of versions, and of their annotations, to other buckets."""
