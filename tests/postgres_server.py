"""A private PostgreSQL server for tests: its own cluster in a temporary directory, reached through a socket there."""

import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from pathlib import Path

import psycopg


def programs() -> Path | None:
    """Where initdb and postgres are installed, the newest version first."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: -float(path.parts[-3]))
    found += [Path(path) for path in [shutil.which("initdb")] if path]
    found += [Path(directory) / "initdb" for directory in ("/opt/homebrew/bin", "/usr/local/bin", "/usr/pgsql-16/bin")]
    return next((path.parent for path in found if path.exists()), None)


class PostgresServer:
    """Started on construction; `stop` removes it. PostgreSQL refuses to run as root: then it runs as another user."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self.directory = Path(tempfile.mkdtemp(prefix="cumulo-pg-", dir="/tmp"))
        self._user: str | None = None
        if os.geteuid() == 0:
            self._user = "postgres" if shutil.which("getent") and self._exists("postgres") else "nobody"
            shutil.chown(self.directory, self._user)
        self._call(
            "initdb", "-D", str(self.directory / "data"), "-U", "cumulo", "-A", "trust", "--no-sync", "-E", "UTF8"
        )
        self.start()

    @staticmethod
    def _exists(user: str) -> bool:
        return subprocess.run(["getent", "passwd", user], capture_output=True, check=False).returncode == 0

    def _call(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, user=self._user, cwd=self.directory, timeout=60)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = f"-k {self.directory} -c listen_addresses= -c fsync=off -c max_connections=100"
        data, log = str(self.directory / "data"), str(self.directory / "log")
        self._call("pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start")

    def halt(self, mode: str = "fast") -> None:
        """Stop the server: "fast" ends every connection, "immediate" is a crash."""
        self._call("pg_ctl", "-D", str(self.directory / "data"), "-w", "-m", mode, "stop")

    def admin(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A connection of the test's own."""
        return psycopg.connect(host=str(self.directory), user="cumulo", dbname=database, autocommit=True)

    def create_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"t{uuid.uuid4().hex}"
        with self.admin() as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql://cumulo@/{name}?host={self.directory}"

    def stop(self) -> None:
        """Stop the server and remove everything."""
        pid = self.directory / "data" / "postmaster.pid"
        if pid.exists():
            os.kill(int(pid.read_text().split()[0]), signal.SIGQUIT)
            while pid.exists():
                pass
        shutil.rmtree(self.directory, ignore_errors=True)
