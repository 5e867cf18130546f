"""Which pages take files, and how large a request to them may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from flask import Flask, current_app, request

from webapp.web.context import services

# What is pasted is held in memory, an uploaded file is not.
PASTED_BYTES: Final = 4 * 1024 * 1024
# The other fields of the form, and what a browser puts around a file.
AROUND: Final = 65_536
_MARK: Final = "takes_files"

V = TypeVar("V", bound=Callable[..., Any])


def takes_files(view: V) -> V:
    """Let a page take a file as large as the settings say."""
    setattr(view, _MARK, True)
    return view


def init_app(app: Flask) -> None:
    """Look at each request before anything of its form is read."""
    app.before_request(_make_room)


def _make_room() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, _MARK, False):
        request.max_content_length = services().settings.upload_bytes + AROUND
        request.max_form_memory_size = PASTED_BYTES
