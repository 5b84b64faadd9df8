"""The truth about what is real: every operation and every request member of a service, read from the code."""

from __future__ import annotations

from typing import Any

from cumulo.core.discovery import Registry, ServiceCode


def of_service(code: ServiceCode) -> list[dict[str, Any]]:
    """One row per operation of the model: whether it is real, which members it refuses, where it is answered."""
    rows: list[dict[str, Any]] = []
    newer = successors(code)
    for name, model in sorted(code.model.operations.items()):
        handler = code.handlers.get(name) or code.handlers.get(newer.get(name, ""))
        members = sorted(model.input.members) if model.input is not None else []
        refused = sorted(handler.unsupported) if handler is not None else members
        rows.append(
            {
                "operation": name,
                "real": handler is not None,
                "honoured": [member for member in members if member not in refused],
                "refused": refused,
                "source": handler.source if handler is not None else "",
            }
        )
    return rows


def successors(code: ServiceCode) -> dict[str, str]:
    """Deprecated operations, each with the one that has its place on the wire: a request for it is a request for that.

    S3's PutBucketLifecycle and PutBucketLifecycleConfiguration are one request, with an older and a newer body.
    """
    current, old = {}, {}
    for method, uri, name in code.model.routes:
        if code.model.operations[name].cut.deprecated:
            old[name] = (method, uri)
        elif name in code.handlers:
            current[method, uri] = name
    return {name: current[place] for name, place in old.items() if place in current}


def of_cloud(registry: Registry) -> dict[str, list[dict[str, Any]]]:
    """The rows of every service that is there."""
    return {name: of_service(registry.service(name)) for name in sorted(registry.names)}


def explain(registry: Registry, service: str, operation: str) -> str:
    """Where the answer of an operation comes from, in one sentence."""
    code = registry.service(service)
    if operation not in code.model.operations:
        return f"{service} has no operation {operation}"
    newer = successors(code).get(operation)
    if newer is not None:
        return f"{service}:{operation} is the same request as {newer}, answered by {code.handlers[newer].source}"
    handler = code.handlers.get(operation)
    if handler is None:
        return f"{service}:{operation} is not implemented: it answers NotImplemented"
    return f"{service}:{operation} is answered by {handler.source}"
