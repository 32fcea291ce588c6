"""Customer.io's two regions behind one proxy, in this process: real sockets and TLS, no name resolved."""

import base64
import json
import socket
import socketserver
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

from cio_mcp.cli.certificate import make_certificate

SITE, TRACK_KEY, APP_KEY = "site-s3cret", "track-s3cret", "app-s3cret"
OPENS = {
    "track": f"Basic {base64.b64encode(f'{SITE}:{TRACK_KEY}'.encode()).decode()}",
    "api": f"Bearer {APP_KEY}",
}


@dataclass
class Internet:
    """`home` is the workspace's region, `password` what the proxy wants; `trust` is the authority's file."""

    home: str
    password: str | None
    trust: str
    proxy: str = ""
    asked: list[str] = field(default_factory=list)

    def answer(self, host: str, path: str, authorization: str) -> tuple[int, dict[str, Any]]:
        """Return status and body as Customer.io does for a key of a workspace in one region."""
        self.asked.append(host + path)
        api, _, region = host.partition(".")[0].partition("-")
        if (region or "us") != self.home or authorization != OPENS[api]:
            return 401, {"meta": {"error": "Unauthorized"}}
        return 200, {"region": self.home} if api == "track" else {"messages": []}


@contextmanager
def an_internet(
    folder: Path, home: str = "us", password: str | None = None, *, secure: bool = False
) -> Iterator[Internet]:
    """Serve it on a free port of loopback until the end; a `secure` proxy is spoken to over TLS itself.

    The proxy speaks SOCKS as well, with whoever begins so.
    """
    trust = make_certificate(folder, "*.customer.io")
    internet = Internet(home, password, trust)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trust)

    class Proxy(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            if not secure and self.connection.recv(1, socket.MSG_PEEK) == b"\x05":
                greeting = self.rfile.read(2)
                self.rfile.read(greeting[1])
                self.wfile.write(b"\x05\x00")
                host = self.rfile.read(self.rfile.read(5)[4] + 2)[:-2].decode()
                self.wfile.write(b"\x05\x00\x00\x01" + bytes(6))
                self.answer(host)
                return
            (_, target, _), headers = _head(self.rfile.readline)
            host = target.partition(":")[0]
            if password and password not in headers.get("proxy-authorization", ""):
                self.wfile.write(b"HTTP/1.1 407 Who are you?\r\ncontent-length: 0\r\n\r\n")
                return
            self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            self.answer(host)

        def answer(self, host: str) -> None:
            with suppress(ssl.SSLError), context.wrap_socket(self.connection, server_side=True) as tls:
                (_, path, _), headers = _head(tls.makefile("rb").readline)
                status, body = internet.answer(host, path, headers["authorization"])
                tls.sendall(f"HTTP/1.1 {status} So\r\nconnection: close\r\n\r\n{json.dumps(body)}".encode())

    class Server(socketserver.ThreadingTCPServer):
        def finish_request(self, request: Any, client_address: Any) -> None:
            if not secure:
                super().finish_request(request, client_address)
                return
            with suppress(ssl.SSLError), context.wrap_socket(request, server_side=True) as tls:
                super().finish_request(tls, client_address)

    with Server(("127.0.0.1", 0), Proxy) as server:
        internet.proxy = f"127.0.0.1:{server.server_address[1]}"
        Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield internet
        server.shutdown()


def _head(readline: Any) -> tuple[list[str], dict[str, str]]:
    """Return the words of a request's first line, and its headers."""
    first = readline().decode().split()
    headers = {}
    while line := readline().decode().strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return first, headers
