"""Lambda's Python runtime: imports the handler, then answers one event after the other until the environment ends.

Errors, their types and texts are those of awslambdaric 4.2, which AWS's managed runtimes contain; and of AWS Lambda
Developer Guide, "Define Lambda function handler in Python".
"""

from __future__ import annotations

import atexit
import importlib
import json
import logging
import os
import platform
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from cumulo.engines.environments.guest.documents import Encoder
from cumulo.engines.environments.guest.function_logs import LambdaLoggerFilter, Sink, install
from cumulo.engines.environments.guest.lambda_context import LambdaContext
from cumulo.engines.environments.guest.runtime_client import Gone, RuntimeClient

HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
LANG = "/var/lang"  # where the installation of a runtime is shown, see programs.py
UNHANDLED = (
    "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. However, in rare"
    " cases, a Lambda runtime update can cause unexpected function behavior. For functions using managed runtimes,"
    " runtime updates can be triggered by a function change, or can be applied automatically. To determine if the"
    " runtime has been updated, check the runtime version in the INIT_START log entry. If this error correlates with a"
    " change in the runtime version, you may be able to mitigate this error by temporarily rolling back to the previous"
    " runtime version. For more information, see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html\r"
)


class Fault(Exception):
    """An error that the runtime names itself."""

    def __init__(self, kind: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.trace = trace


class Unbuffered:
    """A stream whose every write arrives at once."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __enter__(self) -> Unbuffered:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> None:
        """Write and flush."""
        self.stream.write(text)
        self.stream.flush()

    def writelines(self, lines: list[str]) -> None:
        """Write and flush."""
        self.stream.writelines(lines)
        self.stream.flush()


def run(wanted: dict[str, Any], paths: dict[str, str]) -> int:
    """Be the runtime in this process. Returns the exit status.

    `wanted`: "log", the descriptor of framed records; "snapshot" and "wait": see snapshot.py.
    """
    sys.argv = ["/var/runtime/bootstrap.py"]
    sys.executable = _shown(sys.executable)
    sys.path[:] = module_path([_shown(folder) for folder in sys.path], paths)
    sys.path_importer_cache.clear()
    platform._uname_cache = None  # type: ignore[attr-defined]  # of the machine, not of the sandbox
    # As Python has it in the locale C.UTF-8, and up to 3.11, where that is en_US.UTF-8 (see variables.py).
    errors = "surrogateescape" if sys.version_info >= (3, 12) else "strict"
    sys.__stdout__ = open(1, "w", encoding="utf-8", errors=errors, closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stdout = Unbuffered(sys.__stdout__)
    sys.stderr = Unbuffered(sys.stderr)
    _forget_ourselves()
    if os.environ.get("CUMULO_DEBUG"):
        _await_debugger()
    client = RuntimeClient(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        _Runtime(client, wanted, *install(wanted["log"])).serve()
    except Gone:
        return 0
    except SystemExit as leaving:
        status = _exit_status(leaving)
    except BaseException as error:
        _print(error)
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as an interpreter does at its end
    atexit._run_exitfuncs()
    return status


def _print(error: BaseException) -> None:
    """As the interpreter does, with the names that files have in Lambda."""
    shown = traceback.TracebackException.from_exception(error)
    whole: list[traceback.TracebackException | None] = [shown]
    while whole:
        each = whole.pop()
        if each is not None:
            for frame in each.stack:
                frame.filename = _shown(frame.filename)
            whole += [each.__cause__, each.__context__]
    print("".join(shown.format()), end="", file=sys.stderr)  # noqa: T201


def _await_debugger() -> None:
    """Let a debugger attach before anything of the function's is imported (see `debugging`)."""
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # of modules that are frozen: it only warns
    try:
        import debugpy  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        print("CUMULO_DEBUG: there is no debugpy: pip install debugpy beside cumulo")  # noqa: T201
        return
    debugpy.listen(("127.0.0.1", 5678), in_process_debug_adapter=True)
    print("CUMULO_DEBUG: waiting for a debugger")  # noqa: T201
    debugpy.wait_for_client()


def _exit_status(leaving: SystemExit) -> int:
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    print(leaving.code, file=sys.stderr)  # noqa: T201, as the interpreter does
    return 1


def module_path(before: list[str], paths: dict[str, str]) -> list[str]:
    """Where modules are found: code, layers, the runtime's own SDK, the standard library.

    Source: AWS Lambda Developer Guide, "Working with .zip file archives for Python": the search path.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    opt = paths.get("/opt", "/opt")
    layers = [f"{opt}/python/lib/python{version}/site-packages", f"{opt}/python"]
    library = [folder for folder in before if not folder.endswith(("site-packages", "dist-packages"))]
    task, runtime = paths.get("/var/task", "/var/task"), paths.get("/var/runtime", "/var/runtime")
    return [task, *layers, runtime, *library]


def _forget_ourselves() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "cumulo"]:
        del sys.modules[name]
    main = type(sys)("__main__")
    sys.modules["__main__"] = main


def find_handler(handler: str) -> Callable[[Any, LambdaContext], Any]:
    """The function that `handler` names. Raises Fault."""
    module_name, dot, name = handler.rpartition(".")
    if not dot:
        raise Fault(
            "Runtime.MalformedHandlerName",
            f"Bad handler '{handler}': not enough values to unpack (expected 2, got 1)",
        )
    try:
        if module_name.split(".")[0] in sys.builtin_module_names:
            raise Fault(
                "Runtime.BuiltInModuleConflict", f"Cannot use built-in module {module_name} as a handler module"
            )
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from None
    except SyntaxError as error:
        raise Fault(
            "Runtime.UserCodeSyntaxError",
            f"Syntax error in module '{module_name}': {error}",
            [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'],
        ) from None
    try:
        found: Callable[[Any, LambdaContext], Any] = getattr(module, name)
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module_name}'") from None
    return found


def _shown(file: str) -> str:
    """A file of the interpreter or of ours by the name that it has in Lambda, where it has it here too."""
    if file.startswith(HERE):
        return f"/var/runtime/{file[len(HERE) :]}"
    if file.startswith(f"{sys.base_prefix}/") and os.path.exists(LANG):
        return LANG + file[len(sys.base_prefix) :]
    return file


def error_document(error: BaseException, request_id: str = "") -> tuple[dict[str, Any], list[traceback.FrameSummary]]:
    """What Lambda answers for an exception, and the frames that X-Ray is told."""
    frames: list[traceback.FrameSummary] = []
    if isinstance(error, Fault):
        message, kind, trace = str(error), error.kind, error.trace or []
    else:
        frames = list(traceback.extract_tb(error.__traceback__))
        first = next((index for index, frame in enumerate(frames) if not frame.filename.startswith(HERE)), 0)
        frames = frames[first:]
        plain = [(_shown(frame.filename), frame.lineno, frame.name, frame.line) for frame in frames]
        message, kind, trace = str(error), type(error).__name__, traceback.format_list(plain)  # type: ignore[arg-type]
    document = {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}
    return document, frames


class _Runtime:
    def __init__(self, client: RuntimeClient, wanted: dict[str, Any], sink: Sink, numbered: LambdaLoggerFilter) -> None:
        self._client = client
        self._wanted = wanted
        self._sink = sink
        self._numbered = numbered
        self._encoder = Encoder(escaped=sys.version_info < (3, 12))

    def serve(self) -> NoReturn:
        """Import the handler, then answer events. Raises Gone when the environment ends."""
        try:
            handler = find_handler(os.environ.get("_HANDLER", ""))
        except Exception as error:
            self._end_init(error)
        if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
            self._be_snapshot()
        while True:
            headers, body = self._client.next()
            self._answer(handler, headers, body)

    def _end_init(self, error: Exception) -> NoReturn:
        document, _ = error_document(error)
        logging.warning(UNHANDLED)
        self._sink.log_error(document)
        self._client.init_error(self._encoder.encode(document).encode(), document["errorType"])
        raise SystemExit(1)

    def _be_snapshot(self) -> None:
        """Run the hooks around the snapshot: the last registered first before it, the first registered first after."""
        import snapshot_restore_py  # ours, or the one that the function brought

        try:
            before = snapshot_restore_py.get_before_snapshot()
            while before:
                function, arguments, keywords = before.pop()
                function(*arguments, **keywords)
            self._wait_for_restore()
        except Gone:
            raise
        except BaseException as error:
            document, _ = error_document(error)
            self._sink.log_error(document)
            self._client.init_error(self._encoder.encode(document).encode(), "Runtime.BeforeSnapshotError")
            raise SystemExit(64) from None
        try:
            for function, arguments, keywords in snapshot_restore_py.get_after_restore():
                function(*arguments, **keywords)
        except BaseException as error:
            document, _ = error_document(error)
            self._sink.log_error(document)
            self._client.restore_error(self._encoder.encode(document).encode(), "Runtime.AfterRestoreError")
            raise SystemExit(65) from None

    def _wait_for_restore(self) -> None:
        """Become a snapshot that forks, where the server takes one; else go on at once."""
        address = ""
        if "snapshot" in self._wanted:
            sys.stdout.flush()
            address = self._wanted["wait"](self._wanted["snapshot"], self._wanted["log"])
        if address:
            self._client.move(address)
        else:
            self._client.restore_next()

    def _answer(self, handler: Callable[[Any, LambdaContext], Any], headers: dict[bytes, bytes], body: bytes) -> None:
        request_id = headers[b"lambda-runtime-aws-request-id"].decode()
        self._numbered.request_id = request_id
        tenant = headers.get(b"lambda-runtime-aws-tenant-id")
        self._numbered.tenant_id = tenant.decode() if tenant else None
        trace = headers.get(b"lambda-runtime-trace-id")
        if trace is not None:
            os.environ["_X_AMZN_TRACE_ID"] = trace.decode("latin-1")
        else:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        try:
            context = _context(request_id, headers, self._numbered.tenant_id)
            answer = handler(_event(headers, body), context)
            payload, content_type = self._marshalled(answer)
        except Exception as error:
            self._fail(request_id, error)
        else:  # a lone surrogate ends the process
            data = payload.encode() if isinstance(payload, str) else payload
            self._client.respond(request_id, data, content_type)

    def _marshalled(self, answer: object) -> tuple[str | bytes, str]:
        if isinstance(answer, bytes):
            return answer, "application/unknown"
        try:
            return self._encoder.encode(answer), "application/json"
        except Exception as error:
            raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from None

    def _fail(self, request_id: str, error: Exception) -> None:
        document, frames = error_document(error, request_id)
        kind = "LambdaValidationError" if isinstance(error, Fault) else type(error).__name__
        stack = [{"label": frame.name, "path": _shown(frame.filename), "line": frame.lineno} for frame in frames]
        cause = {
            "working_directory": os.getcwd(),
            "exceptions": [{"message": str(error), "type": kind, "stack": stack}],
            "paths": list({each["path"] for each in stack}),
        }
        self._sink.log_error(document)
        self._client.fail(
            request_id, self._encoder.encode(document).encode(), document["errorType"], json.dumps(cause).encode()
        )


def _event(headers: dict[bytes, bytes], body: bytes) -> Any:
    if headers.get(b"content-type") != b"application/json":
        return body
    try:
        return json.loads(body)
    except Exception as error:
        raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from None


def _context(request_id: str, headers: dict[bytes, bytes], tenant_id: str | None) -> LambdaContext:
    client = headers.get(b"lambda-runtime-client-context")
    identity = headers.get(b"lambda-runtime-cognito-identity")
    return LambdaContext(
        request_id,
        _json_header(client, "Client Context") if client else None,
        _json_header(identity, "Cognito Identity") if identity else None,
        int(headers[b"lambda-runtime-deadline-ms"]),
        headers[b"lambda-runtime-invoked-function-arn"].decode("latin-1"),
        tenant_id,
    )


def _json_header(value: bytes, name: str) -> Any:
    try:
        return json.loads(value)
    except Exception as error:
        raise Fault("Runtime.LambdaContextUnmarshalError", f"Unable to parse {name} JSON: {error}") from None
