"""What the HTTP endpoints take: bodies in four formats to events. Pure.

Source: CloudWatch Logs User Guide, "Log ingestion through HTTP endpoints" and the pages of its formats.
"""
