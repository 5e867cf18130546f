"""nginx of Debian's package, set up as docs/nginx.conf says."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from webapp.settings import PROJECT
from webapp.supervisor.checks import free_port
from webapp.supervisor.child import how_it_ended

BINARY: Final = Path("/usr/sbin/nginx")
NAME: Final = "keep.school.example"
_FRAME: Final = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{servers}
}}
"""


class NoNginx(Exception):
    """No server can be had; the text says why."""


@contextmanager
def nginx_before(site: str, *, prefix: str = "") -> Iterator[int]:
    """Serve a site over TLS, under a prefix such as /keep; yield the port."""
    if not BINARY.exists():
        raise NoNginx(f"no nginx at {BINARY}: apt-get install nginx-light")
    folder = Path(tempfile.mkdtemp(prefix="wk-nginx-", dir="/tmp"))
    port = free_port()
    try:
        _make_certificate(folder)
        servers = _filled(folder, port=port, site=site, prefix=prefix)
        conf = folder / "nginx.conf"
        conf.write_text(_FRAME.format(folder=folder, servers=servers))
        process = subprocess.Popen(
            (BINARY, "-p", folder, "-c", conf), stderr=subprocess.DEVNULL
        )
        try:
            _await(port, process, folder)
            yield port
        finally:
            process.kill()
            process.wait()
    finally:
        shutil.rmtree(folder)


def _filled(folder: Path, *, port: int, site: str, prefix: str) -> str:
    """Return the documented file with what is different here."""
    text = (PROJECT / "docs" / "nginx.conf").read_text()
    changes = {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        f"/etc/ssl/{NAME}.pem": f"{folder}/certificate.pem",
        f"/etc/ssl/{NAME}.key": f"{folder}/key.pem",
        "http://127.0.0.1:8000;": f"{site}{'/' if prefix else ''};",
        'X-Forwarded-Prefix "";': f'X-Forwarded-Prefix "{prefix}";',
        "location / {": f"location {prefix}/ {{",
    }
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def _make_certificate(folder: Path) -> None:
    if shutil.which("openssl") is None:
        raise NoNginx("no openssl to make a certificate with")
    subprocess.run(
        (
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"),
            *("-keyout", folder / "key.pem", "-out", folder / "certificate.pem"),
        ),
        check=True,
        capture_output=True,
    )


def _await(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        if process.poll() is not None or time.monotonic() > deadline:
            log = (folder / "error.log").read_text()
            raise NoNginx(f"nginx {how_it_ended(process.poll())}: {log[-500:]}")
        time.sleep(0.05)
