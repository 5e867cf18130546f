"""The files that may be written in a browser: their names, places and texts.

The same file has up to three texts: the one that is shipped, the one of the
installation in `instance/content/`, which players see, and its draft in
`instance/drafts/`. The folders are the same in all three.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from webapp.content.files import find_files
from webapp.domain.services import Services
from webapp.errors import InvalidInput, StorageError
from webapp.reading.tree import MAX_BYTES, TreeProblem, decode

Kind = Literal[
    "ladder", "level", "track", "lesson", "words", "attacks", "data", "texts"
]
DRAFTS: Final = "drafts"

_PART: Final = r"[a-z0-9][a-z0-9_-]{0,59}"
_NAMES: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    ("ladder", re.compile(rf"game/{_PART}/ladder\.yaml")),
    ("level", re.compile(rf"game/{_PART}/{_PART}\.yaml")),
    ("track", re.compile(rf"lessons/{_PART}/track\.yaml")),
    ("lesson", re.compile(rf"lessons/{_PART}/{_PART}\.md")),
    ("words", re.compile(rf"words/{_PART}\.txt")),
    ("attacks", re.compile(rf"attacks/{_PART}\.yaml")),
    ("data", re.compile(rf"data/{_PART}\.yaml")),
    ("texts", re.compile(r"texts/help\.yaml")),
)
BAD_NAME: Final = (
    "No file of the content can have this name. Use small letters, digits and hyphens, "
    "as in game/my-keep/my-gate.yaml."
)
LINK: Final = (
    "This file is a link that leads out of the content folder, so it is not opened "
    "here. Copy the file to where the link is."
)


@dataclass(frozen=True, slots=True)
class Texts:
    """What a file says in each place at one moment; None where there is no such file.

    `seen` is equal as long as neither the draft nor the published text changes.
    """

    draft: str | None
    published: str | None
    shipped: str | None

    @property
    def seen(self) -> str:
        """What a page sends back, so that a change in between is noticed."""
        return f"{digest(self.draft)[:16]}.{digest(self.published)[:16]}"

    @property
    def newest(self) -> str | None:
        """What the editor shows."""
        own = self.published if self.draft is None else self.draft
        return self.shipped if own is None else own

    @property
    def is_own(self) -> bool:
        """Whether the installation has a text of its own."""
        return self.draft is not None or self.published is not None


def parse_name(name: str) -> PurePosixPath:
    """Return the path of a file that may be written here; raise InvalidInput."""
    if _kind(name) is None:
        raise InvalidInput(BAD_NAME)
    return PurePosixPath(name)


def is_name(name: str) -> bool:
    """Tell whether a file that may be written here can have this name."""
    return _kind(name) is not None


def kind_of(name: PurePosixPath) -> Kind:
    """Return what kind of file this is; raise InvalidInput."""
    kind = _kind(str(name))
    if kind is None:
        raise InvalidInput(BAD_NAME)
    return kind


def digest(text: str | None) -> str:
    """Return what is equal for equal texts; no text differs from an empty one."""
    if text is None:
        return "-" * 64
    return hashlib.sha256(text.encode()).hexdigest()


def drafts_folder(services: Services) -> Path:
    """Return the folder of the drafts; it need not be there."""
    return services.settings.instance / DRAFTS


def draft_path(services: Services, name: PurePosixPath) -> Path:
    """Return where the draft of a file lies; raise InvalidInput for a link out."""
    return _inside(drafts_folder(services), name)


def own_path(services: Services, name: PurePosixPath) -> Path:
    """Return where a published file lies; raise InvalidInput for a link out."""
    return _inside(services.settings.content, name)


def other_roots(services: Services) -> tuple[Path, ...]:
    """Return the content folders under that of the installation, shipped ones first."""
    own = services.settings.content
    return tuple(root for root in services.settings.roots if root != own)


def texts_of(services: Services, name: PurePosixPath) -> Texts:
    """Return all texts of a file; raise InvalidInput for one that is not text."""
    shipped = None
    for root in other_roots(services):
        found = read_text(_inside(root, name))
        shipped = shipped if found is None else found
    return Texts(
        read_text(draft_path(services, name)),
        read_text(own_path(services, name)),
        shipped,
    )


def read_text(path: Path) -> str | None:
    """Return the text of a file, None if there is none; raise InvalidInput, too."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return decode(file.read(MAX_BYTES + 1))
    except FileNotFoundError:
        return None
    except TreeProblem as problem:
        raise InvalidInput(told(problem)) from problem
    except OSError as error:
        raise StorageError(f"{path.name} cannot be read: {error.strerror}.") from error


def clean(text: str) -> str:
    """Return a typed text as it is written into a file; raise InvalidInput."""
    # Browsers send the ends of lines as two characters.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        decode(text.encode())
    except TreeProblem as problem:
        raise InvalidInput(told(problem)) from problem
    except UnicodeEncodeError as error:
        raise InvalidInput("This is not text: it has half a character.") from error
    return text


def told(problem: TreeProblem) -> str:
    """Return what is wrong with a text in one sentence, with its line."""
    advice = f"; {problem.suggestion}" if problem.suggestion else ""
    return f"Line {problem.line}: {problem.message}{advice}."


def names_in(roots: Sequence[Path]) -> Iterator[PurePosixPath]:
    """Yield the files of some folders that may be written here."""
    there = [root for root in roots if root.is_dir()]
    for name, file in find_files(there).items():
        if not file.fault and _kind(str(name)) is not None:
            yield name


def _kind(name: str) -> Kind | None:
    for kind, pattern in _NAMES:
        if pattern.fullmatch(name):
            return kind
    return None


def _inside(folder: Path, name: PurePosixPath) -> Path:
    place = folder / name
    if not place.resolve().is_relative_to(folder.resolve()):
        raise InvalidInput(LINK)
    return place
