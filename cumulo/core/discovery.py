"""Finds what a service does by looking at its modules, in folders of folders too; nothing is registered by hand.

It fails loudly on a function that is no operation of the service's model, and on an operation or a task that
two functions do.
"""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from cumulo.core import access
from cumulo.core.errors import Error, not_implemented
from cumulo.core.operation import OperationMark, ReconcilerMark, TaskMark, mark_of, waits
from cumulo.wire import models
from cumulo.wire.validation import validator

if TYPE_CHECKING:
    from cumulo.wire.models import Operation, Service


class DiscoveryError(Exception):
    """A service's code contradicts its model."""


class Handler:
    """One operation and the function that answers it."""

    __slots__ = (
        "access_denied",
        "asks_first",
        "conditions",
        "function",
        "is_async",
        "model",
        "public",
        "rule",
        "service",
        "source",
        "streams",
        "unsupported",
        "validate",
    )

    def __init__(
        self,
        service: str,
        model: Operation,
        function: Callable[..., Any],
        mark: OperationMark,
        rule: access.Rule,
        access_denied: Error | None,
        source: str,
    ) -> None:
        self.service = service
        self.model = model
        self.function = function
        self.unsupported = mark.unsupported
        self.is_async = waits(function)
        self.validate = validator(model)
        self.rule = rule
        self.access_denied = access_denied
        # Whether permission is asked on "*" before the function runs; else it asks for its resource itself.
        self.asks_first = not rule.needs_resource and not mark.public
        self.public = mark.public
        self.conditions = mark.conditions
        self.streams = mark.streams
        self.source = source


class ServiceCode:
    """What is there of a service: handlers by operation name, tasks by durable name, reconcilers."""

    __slots__ = ("handlers", "install", "model", "name", "package", "reconcilers", "tasks")

    def __init__(self, name: str, package: str) -> None:
        self.name = name
        self.package = package
        self.model: Service = models.load(name)
        self.handlers: dict[str, Handler] = {}
        self.tasks: dict[str, tuple[Callable[..., Any], TaskMark]] = {}
        self.reconcilers: list[tuple[Callable[..., Any], ReconcilerMark]] = []
        self.install: Callable[[Any], None] | None = None  # a package may take a place in the Runtime when it loads
        self._find()

    def _find(self) -> None:
        package = importlib.import_module(self.package)
        self.install = getattr(package, "install", None)
        rules = access.load(self.name)
        denied: Error | None = getattr(package, "ACCESS_DENIED", None)
        for found in pkgutil.walk_packages(package.__path__, f"{self.package}."):
            module = importlib.import_module(found.name)
            for name, function in vars(module).items():
                if getattr(function, "__module__", None) != module.__name__:
                    continue
                mark = mark_of(function)
                if isinstance(mark, OperationMark):
                    self._add(name, function, mark, rules, denied)
                elif isinstance(mark, TaskMark):
                    self._add_task(function, mark)
                elif isinstance(mark, ReconcilerMark):
                    self.reconcilers.append((function, mark))

    def _add_task(self, function: Callable[..., Any], mark: TaskMark) -> None:
        if mark.name in self.tasks:
            other = self.tasks[mark.name][0].__module__
            raise DiscoveryError(f"{mark.name} is a task twice: in {other} and in {function.__module__}")
        self.tasks[mark.name] = (function, mark)

    def _add(
        self, name: str, function: Callable[..., Any], mark: OperationMark, rules: access.Access, denied: Error | None
    ) -> None:
        where = f"{function.__module__}.{name}"
        try:
            model = self.model.operation_by_python_name(name)
        except KeyError:
            raise DiscoveryError(f"{where} is an @operation, but {self.name} has none of that name") from None
        if model.name in self.handlers:
            raise DiscoveryError(f"{model.name} is answered twice: by {self.handlers[model.name].source} and {where}")
        known = model.input.members if model.input is not None else {}
        for member in mark.unsupported:
            if member not in known:
                raise DiscoveryError(f"{where} refuses {member}, which is no member of {model.name}'s request")
        rule = rules.operation(model.name)
        self.handlers[model.name] = Handler(self.name, model, function, mark, rule, denied, where)

    def handler(self, operation: str) -> Handler:
        """The handler of an operation; the NotImplemented fault when there is none."""
        found = self.handlers.get(operation)
        if found is None:
            raise not_implemented(self.name, operation)
        return found


class Registry:
    """The services of this cloud, each loaded when it is first used."""

    def __init__(self, packages: dict[str, str]) -> None:
        self._packages = packages
        self._loaded: dict[str, ServiceCode] = {}
        self._lock = threading.RLock()  # on PostgreSQL transactions run in threads, and may be the first to ask
        self.on_load: Callable[[ServiceCode], None] | None = None

    @property
    def names(self) -> Iterable[str]:
        """The services that are there, loaded or not, as botocore names them."""
        return self._packages.keys()

    def is_loaded(self, name: str) -> bool:
        """Whether `service` gives the code of this one at once."""
        return name in self._loaded

    async def load(self, name: str) -> None:
        """Load a service beside the loop: it takes a tenth of a second and more, in which others are answered."""
        if name not in self._loaded:
            await asyncio.to_thread(self.service, name)

    def service(self, name: str) -> ServiceCode:
        """The code of a service; the NotImplemented fault when cumulo has no such service."""
        found = self._loaded.get(name)
        if found is not None:
            return found
        package = self._packages.get(name)
        if package is None:
            raise not_implemented(name, "*")
        with self._lock:
            found = self._loaded.get(name)
            if found is not None:
                return found
            code = ServiceCode(name, package)
            if self.on_load is not None:
                self.on_load(code)
            self._loaded[name] = code
        return code

    def task(self, name: str) -> tuple[Callable[..., Any], TaskMark]:
        """The function of a durable task by its name."""
        return self.service(name.partition(".")[0]).tasks[name]
