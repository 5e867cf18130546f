"""The tokenizers of a sidecar in this process: the real ones, and no model."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import httpx2

from finetune.serving.routes.app import create_app
from finetune.settings import load_settings
from webapp.llm.tokenizers import TokenizerClient


def tokenizer_client() -> TokenizerClient:
    """Return the site's own client, which talks to a sidecar in this process."""
    return TokenizerClient("http://sidecar.test/v1", transport=_sidecar())


@functools.cache
def _sidecar() -> httpx2.WSGITransport:
    """Return one for all tests: it reads the shipped tokenizers once."""
    instance = Path(tempfile.mkdtemp(prefix="wordkeep-tokenizers-"))
    settings = load_settings({}, instance=instance, preload="")
    return httpx2.WSGITransport(create_app(settings))
