"""Anomalies in logs: what is usual in a log group, learned from its events, and what is not. Pure."""
