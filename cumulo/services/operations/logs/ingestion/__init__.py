"""How events come in: by PutLogEvents, and by the HTTP endpoints with bodies in four formats.

Source: CloudWatch Logs User Guide, "Log ingestion through HTTP endpoints" and the pages of its formats.
"""
