"""A server that speaks S3 on this machine, with one bucket."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import boto3
import s3fs
from moto.server import ThreadedMotoServer

from finetune.weights.depot import Depot, UrlDepot, open_depot

NAME = "wordkeep-tests"


class Bucket:
    """A bucket that keeps nothing over its end."""

    def __init__(self, server: ThreadedMotoServer) -> None:
        self._server = server
        host, port = server.get_host_and_port()
        self._address = f"{host}:{port}"
        self._client = boto3.client("s3", **self._access())
        self._client.create_bucket(Bucket=NAME)

    @property
    def env(self) -> dict[str, str]:
        """How a program finds it, in the variables that AWS has for it."""
        return {
            "AWS_ENDPOINT_URL": f"http://{self._address}",
            "AWS_ACCESS_KEY_ID": "key-of-tests",
            "AWS_SECRET_ACCESS_KEY": "secret-of-tests",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def keys(self, prefix: str = "") -> list[str]:
        """Return the names of all objects."""
        found = self._client.list_objects_v2(Bucket=NAME, Prefix=prefix)
        return [each["Key"] for each in found.get("Contents", [])]

    def put(self, key: str, data: bytes) -> None:
        """Replace an object behind everybody's back."""
        self._client.put_object(Bucket=NAME, Key=key, Body=data)

    def refuse(self, *, is_refusing: bool) -> None:
        """Let nobody in, or everybody again."""
        count = b"0" if is_refusing else b"inf"
        with closing(http.client.HTTPConnection(self._address)) as line:
            line.request("POST", "/moto-api/reset-auth", count)
            line.getresponse().read()

    def stop(self) -> None:
        """Let it go away."""
        self._client.close()
        self._server.stop()

    def _access(self) -> dict[str, str]:
        env = self.env
        return {
            "endpoint_url": env["AWS_ENDPOINT_URL"],
            "aws_access_key_id": env["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": env["AWS_SECRET_ACCESS_KEY"],
            "region_name": env["AWS_DEFAULT_REGION"],
        }


@contextmanager
def running_bucket() -> Iterator[Bucket]:
    """Start a server with an empty bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    bucket = Bucket(server)
    try:
        yield bucket
    finally:
        bucket.stop()


@contextmanager
def closing_depot(url: str, incoming: Path) -> Iterator[Depot]:
    """Open a depot on S3, and close its connections at the end."""
    depot = open_depot(url, incoming=incoming)
    assert isinstance(depot, UrlDepot)
    files = depot.files
    try:
        yield depot
    finally:
        s3fs.S3FileSystem.close_session(files.loop, files.s3)
        s3fs.S3FileSystem.clear_instance_cache()
