"""Log transformers: processors that make a document of a message, one after the other.

Pure but for the transformers of groups. Source: CloudWatch Logs User Guide, "Transform logs during ingestion".
"""
