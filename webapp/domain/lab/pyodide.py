"""Python for the browser: fetched once, checked, and kept in the instance.

Only files whose sum is written here are ever served. They come from the package of the
Pyodide project on npm; any other place will do that has the same file.
"""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import tarfile
import tempfile
import threading
from pathlib import Path
from typing import Final

import httpx2

from webapp.errors import BackendError, Busy, NotFound
from webapp.settings import Settings

VERSION: Final = "314.0.7"
INTEGRITY: Final = (
    "sha512-0YvXxEhfEdpLfb/XkM2BFAeMROq0iMUX2bzzH9pOttyMcWkwq+HbE5uyuGD82LN7"
    "y2q+SNvi/6V5JEsOlD2R1A=="
)
TYPES: Final = {
    "pyodide.mjs": "text/javascript",
    "pyodide.asm.mjs": "text/javascript",
    "pyodide.asm.wasm": "application/wasm",
    "python_stdlib.zip": "application/zip",
    "pyodide-lock.json": "application/json",
}
PACKED_BYTES: Final = 16 * 1024 * 1024
UNPACKED_BYTES: Final = 64 * 1024 * 1024
SECONDS: Final = 30.0
# One download at a time in this process; another process makes the same folder.
_FETCHING: Final = threading.Lock()


def folder(settings: Settings) -> Path:
    """Return where this version lies, if it is there."""
    return settings.instance / "pyodide" / VERSION


def is_there(settings: Settings) -> bool:
    """Tell whether a browser can get Python here."""
    return folder(settings).is_dir()


def file(settings: Settings, name: str) -> Path:
    """Return a file of it; raise NotFound for anything else."""
    path = folder(settings) / name
    if name not in TYPES or not path.is_file():
        raise NotFound("There is no such file here.")
    return path


def fetch(settings: Settings, *, integrity: str = INTEGRITY) -> None:
    """Get it, unless it is there; whole or not at all.

    Raises Busy while somebody else fetches it, and BackendError with a sentence when
    it cannot be had.
    """
    if is_there(settings):
        return
    if not settings.pyodide_url:
        raise BackendError(
            "This site fetches nothing from the internet (WORDKEEP_PYODIDE_URL is "
            "empty). You can do the work of a tool yourself: type the result."
        )
    if not _FETCHING.acquire(blocking=False):
        raise Busy("Python is being fetched already. Try again soon.", retry_after=5)
    try:
        _unpack(_download(settings.pyodide_url), folder(settings), integrity)
    finally:
        _FETCHING.release()


def _download(url: str) -> bytes:
    packed = bytearray()
    try:
        with httpx2.stream(
            "GET", url, timeout=SECONDS, follow_redirects=True
        ) as answer:
            answer.raise_for_status()
            for piece in answer.iter_bytes():
                packed += piece
                if len(packed) > PACKED_BYTES:
                    raise _failed("the file is far too large")
    except httpx2.HTTPStatusError as error:
        raise _failed(f"the server answered {error.response.status_code}") from None
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError):
        raise _failed("this site is offline, or the server does not answer") from None
    return bytes(packed)


def _unpack(packed: bytes, place: Path, integrity: str) -> None:
    digest = base64.b64encode(hashlib.sha512(packed).digest()).decode()
    if f"sha512-{digest}" != integrity:
        raise _failed("what came is not the file that this site knows")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=place.parent))
    except OSError as error:
        raise _failed(f"it cannot be written: {error.strerror}") from None
    try:
        _write_files(packed, fresh)
        fresh.rename(place)
    except (OSError, tarfile.TarError, KeyError) as error:
        # Another process may have been first; its files are the same.
        if not place.is_dir():
            raise _failed(f"it cannot be unpacked ({type(error).__name__})") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _write_files(packed: bytes, fresh: Path) -> None:
    room = UNPACKED_BYTES
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        for name in TYPES:
            member = archive.getmember(f"package/{name}")
            source = archive.extractfile(member)
            room -= member.size
            if source is None or room < 0:
                raise tarfile.TarError(name)
            (fresh / name).write_bytes(source.read())


def _failed(why: str) -> BackendError:
    return BackendError(
        f"Python could not be fetched: {why}. Until it is here, you can do the work of "
        "a tool yourself: type the result.",
        code="python_not_fetched",
    )
