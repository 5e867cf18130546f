"""What the server says before the site has seen a request."""

from __future__ import annotations

import pytest
from waitress.adjustments import Adjustments

from webapp.connections import HEAD_BYTES, Parser


def parse(head: bytes) -> Parser:
    parser = Parser(
        Adjustments(listen="127.0.0.1:0", max_request_header_size=HEAD_BYTES)
    )
    parser.received(head + b"\r\nHost: a\r\n\r\n")
    assert parser.completed
    return parser


@pytest.mark.parametrize(
    "head",
    [
        b"GET http://[::1/api HTTP/1.1",
        b"GET http://[x]/ HTTP/1.1",
        b"GET / HTTP/1.1\r\nContent-Length: " + b"9" * 5_000,
        b"GET / HTTP/1.1\r\nContent-Length: -1",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: \xff",
        b"get / HTTP/1.1",
        b"GET / HTTP/1.1\r\nno colon",
        b"",
    ],
)
def test_what_cannot_be_read_is_the_callers_error(head: bytes) -> None:
    assert parse(head).error.code == 400


def test_a_head_that_is_too_long() -> None:
    assert parse(b"GET / HTTP/1.1\r\nX: " + b"x" * HEAD_BYTES).error.code == 431


@pytest.mark.parametrize("path", [b"/", b"//", b"http://a/", b"/%ff", b"*"])
def test_other_requests_are_for_the_site(path: bytes) -> None:
    assert parse(b"GET " + path + b" HTTP/1.1").error is None
