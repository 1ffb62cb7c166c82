"""Real Git servers for tests, each a context manager that ends what it started.

    bare(folder)               an empty bare repository; its path is a remote
    git_daemon(folder)         git://… for the repositories in a folder
    git_http(folder)           http://… for them, by git's own http-backend; asks for a password if told to
    sshd(folder)               ssh://… on this machine, and the GIT_SSH_COMMAND that reaches it
    cut(port)                  a port before another one that drops a connection after some bytes
    silent()                   a port that takes connections and never answers

What needs a program that is not installed skips the test that asks for it.
"""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from helpers import git, wait_for


def bare(folder: Path, name: str = "remote.git") -> Path:
    """Make an empty bare repository that takes pushes over every protocol."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "--bare", "-b", "main", name)
    for key in ("http.receivepack", "daemon.receivepack"):
        git(folder / name, "config", key, "true")
    return folder / name


def hook(repository: Path, name: str, script: str) -> Path:
    """Give a bare repository a hook."""
    file = repository / "hooks" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def free_port() -> int:
    """A port where nobody listens at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _git_program(name: str) -> str:
    found = Path(git(Path("/"), "--exec-path")) / name
    if not found.exists():
        pytest.skip(f"{name} is not installed: what it would show is NOT tested")
    return str(found)


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        with process:
            try:
                wait_for(lambda: process.poll() is not None or _answers(port), 20)
                assert process.poll() is None, process.stderr and process.stderr.read()
                yield
            finally:
                process.terminate()
    finally:
        process.wait(10)


@contextmanager
def git_daemon(folder: Path) -> Iterator[str]:
    """Serve the repositories in a folder. Yields git://127.0.0.1:PORT."""
    port = free_port()
    command = [_git_program("git-daemon"), "--export-all", "--enable=receive-pack", "--reuseaddr", "--timeout=20"]
    with _running([*command, f"--base-path={folder}", "--listen=127.0.0.1", f"--port={port}", str(folder)], port):
        yield f"git://127.0.0.1:{port}"


@contextmanager
def git_http(folder: Path, user: str = "", password: str = "") -> Iterator[str]:
    """Serve the repositories in a folder. Yields http://127.0.0.1:PORT. user: empty where nobody is asked."""
    backend = _git_program("git-http-backend")

    class Handler(_Backend):
        program, root = backend, folder
        wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode() if user else ""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Backend(BaseHTTPRequestHandler):
    """As much of CGI as git http-backend needs."""

    protocol_version = "HTTP/1.1"
    program, root, wanted = "", Path(), ""

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        try:
            self._serve(self._body())
        except (OSError, ValueError):
            self.close_connection = True  # the sender is gone

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            size = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(size)
            if len(body) < size:
                raise ValueError("cut")
            return body
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _serve(self, body: bytes) -> None:
        if self.wanted and self.headers.get("Authorization") != self.wanted:
            self._answer(401, [("WWW-Authenticate", 'Basic realm="tests"')], b"")
            return
        path, _, query = self.path.partition("?")
        env = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        said = subprocess.run([self.program], input=body, env=env, capture_output=True).stdout
        head, _, content = said.partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line]
        fields = [(key, value) for key, value in lines]
        status = next((int(value.split()[0]) for key, value in fields if key == "Status"), 200)
        self._answer(status, [field for field in fields if field[0] not in ("Status", "Content-Length")], content)

    def _answer(self, status: int, fields: list[tuple[str, str]], content: bytes) -> None:
        self.send_response(status)
        for key, value in fields:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def sshd(folder: Path) -> Iterator[tuple[str, str]]:
    """An SSH server for this user. Yields (ssh://USER@127.0.0.1:PORT, GIT_SSH_COMMAND)."""
    server, keygen = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin"), shutil.which("ssh-keygen")
    if not server or not keygen or not shutil.which("ssh"):
        pytest.skip("sshd is not installed: remotes over SSH are NOT tested")
    with suppress(OSError):
        # Debian's sshd wants the folder that its service would make.
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("host", "user"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    port = free_port()
    (folder / "conf").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host\nPidFile {folder}/pid\n"
        f"AuthorizedKeysFile {folder}/user.pub\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
        f"PermitRootLogin prohibit-password\n"
    )
    import getpass

    command = f"ssh -i {folder}/user -o StrictHostKeyChecking=no -o UserKnownHostsFile={folder}/known -o BatchMode=yes"
    with _running([server, "-D", "-e", "-f", str(folder / "conf")], port):
        yield f"ssh://{getpass.getuser()}@127.0.0.1:{port}", command


@dataclass
class Cut:
    """port: where to connect. bytes: how many reach the server before it all ends; None lets everything through."""

    port: int
    bytes: int | None


@contextmanager
def cut(target: int, bytes: int | None) -> Iterator[Cut]:
    """A port before the port `target` that drops every connection after so many bytes to the server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        state = Cut(int(listener.getsockname()[1]), bytes)
        listener.settimeout(0.05)
        ended = threading.Event()
        thread = threading.Thread(target=_accept, args=(listener, target, state, ended), daemon=True)
        thread.start()
        try:
            yield state
        finally:
            ended.set()
            thread.join(10)


def _accept(listener: socket.socket, target: int, state: Cut, ended: threading.Event) -> None:
    while not ended.is_set():
        with suppress(TimeoutError):
            near, _ = listener.accept()
            near.settimeout(None)
            threading.Thread(target=_connect, args=(near, target, state), daemon=True).start()


def _connect(near: socket.socket, target: int, state: Cut) -> None:
    with near, socket.create_connection(("127.0.0.1", target), 10) as far:
        far.settimeout(None)
        back = threading.Thread(target=_pass_on, args=(far, near, None), daemon=True)
        back.start()
        _pass_on(near, far, state.bytes)
        back.join()


def _pass_on(source: socket.socket, sink: socket.socket, limit: int | None) -> None:
    """Copy until the source ends, or until the limit: then both ends are shut."""
    passed = 0
    with suppress(OSError):
        while data := source.recv(4096):
            sink.sendall(data if limit is None else data[: limit - passed])
            passed += len(data)
            if limit is not None and passed >= limit:
                break
        else:
            sink.shutdown(socket.SHUT_WR)
            return
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def silent() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        yield int(listener.getsockname()[1])
