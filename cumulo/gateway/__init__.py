"""Bytes in and out: the HTTP server, hosts, TLS, WebSocket, HTTP/2."""
