"""Lambda's Python runtime in a process of its own: where a wrapper script or libraries of layers need one.

Shown as /var/runtime/bootstrap.py; the rest of the package lies beside it.
"""

from __future__ import annotations

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.join(HERE, ".cumulo")
sys.path = [folder for folder in sys.path if folder not in (HERE, "")]
sys.path.append(PACKAGE)

from cumulo.engines.environments.guest import bootstrap  # noqa: E402

if __name__ == "__main__":
    sys.path.remove(PACKAGE)
    descriptor = int(os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD"))
    sys.exit(bootstrap.run({"log": descriptor}, {}))
