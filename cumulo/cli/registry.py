"""The services' code as the commands look at it: in this process, without a running cloud."""

from typing import TYPE_CHECKING, Any

from cumulo.cli import Refusal, configuration

if TYPE_CHECKING:
    from cumulo.core.discovery import Registry


def load(options: Any) -> "Registry":
    """A registry of all services that are there."""
    from cumulo.app import service_packages
    from cumulo.core.discovery import Registry
    from cumulo.wire import models

    models.configure(configuration.load(options).cache_dir)
    return Registry(service_packages())


def known(registry: "Registry", service: str) -> str:
    """The name of a service that is there, or a Refusal naming the nearest."""
    from difflib import get_close_matches

    names = sorted(registry.names)
    if service in names:
        return service
    near = get_close_matches(service, names, 1)
    raise Refusal(
        f"no service {service!r}", f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}", code=2
    )
