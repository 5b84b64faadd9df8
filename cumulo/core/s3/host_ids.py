"""S3's second id of a request, which answers, error documents, events and access logs all name."""

from cumulo.wire.protocols.rest_xml import host_id

__all__ = ["host_id"]
