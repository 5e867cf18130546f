"""Talk to the sidecar about tokenizers: cut texts, read numbers, learn from a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, NonNegativeInt

from webapp.errors import BackendError
from webapp.llm.sidecar import S, SidecarClient, path_part

# Learning from 200 KB takes a second, on a busy machine several.
TRAIN_SECONDS: Final = 60.0


def _bytes(value: Any) -> Any:
    return bytes.fromhex(value) if isinstance(value, str) else value


Content = Annotated[bytes, BeforeValidator(_bytes)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Piece(_Shape):
    """A token of a text and the bytes of the text that it stands for, from … to."""

    id: int
    name: str
    start: NonNegativeInt
    end: NonNegativeInt
    is_mark: bool = False


class Cut(_Shape):
    """A text as one tokenizer reads it; exact: its tokens are the text's own bytes."""

    tokenizer: str
    is_exact: bool
    size: int
    marks: tuple[str, ...] = ()
    pieces: tuple[Piece, ...]


class Known(_Shape):
    """A number as a tokenizer reads it; without a name if it has no such number."""

    id: int
    name: str | None
    content: Content = b""
    is_mark: bool = False


class Joined(_Shape):
    """What numbers stand for."""

    text: str
    pieces: tuple[Known, ...]


class BatchRow(_Shape):
    """A text of a batch: 0 in the mask is padding, `lost` were cut off."""

    pieces: tuple[Known, ...]
    mask: tuple[int, ...]
    lost: int


class Batch(_Shape):
    """Texts that were made equally long."""

    rows: tuple[BatchRow, ...]
    pad: Known | None = None


class Learned(_Shape):
    """A tokenizer of somebody's text, compared with another on that text."""

    id: str
    size: int
    merges: tuple[tuple[Content, Content], ...]
    asked: int
    characters: int
    bytes: int
    tokens: int
    against: str
    against_tokens: int


class Step(_Shape):
    """A merge that changed a text, by its number, and the tokens after it."""

    merge: int
    tokens: tuple[Content, ...]


class Listed(_Shape):
    """A tokenizer by its name; trained: it belongs to a model that somebody made."""

    id: str
    origin: str


class _List(_Shape):
    data: tuple[Listed, ...]


class _Cuts(_Shape):
    data: tuple[Cut, ...]


class _Steps(_Shape):
    data: tuple[Step, ...]


class TokenizerClient(SidecarClient):
    """The sidecar's tokenizers. No model is asked."""

    what = "tokenizers"
    missing: ClassVar[BackendError] = BackendError(
        "The tokenizers belong to the local models, and this site was started without "
        "them. Start it with ./wordkeep up.",
        code="no_tokenizers",
    )
    away = (
        "The part of Wordkeep that has the tokenizers does not answer just now. "
        "Nothing is lost: try again in a moment."
    )
    garbage = (
        "The part of Wordkeep that has the tokenizers sent an answer that cannot be "
        "read. If this keeps happening, tell your instructor."
    )

    def listed(self) -> tuple[Listed, ...]:
        """Return all tokenizers but the learned ones."""
        return self._get("/tokenizers", _List).data

    def cut(
        self, text: str, *, tokenizers: Sequence[str], marks: bool
    ) -> tuple[Cut, ...]:
        """Return a text as each of these reads it; raise NotFound."""
        body = {"text": text, "tokenizers": list(tokenizers), "marks": marks}
        return self._post("encode", body, _Cuts).data

    def join(self, ids: Sequence[int], *, tokenizer: str) -> Joined:
        """Return what numbers stand for; raise NotFound."""
        body = {"ids": list(ids), "tokenizer": tokenizer}
        return self._post("decode", body, Joined)

    def batch(
        self,
        texts: Sequence[str],
        *,
        tokenizer: str,
        marks: bool,
        padding: str,
        truncation: str,
        longest: int,
    ) -> Batch:
        """Return texts made equally long, by side; "" for a side: not at all."""
        body = {
            "texts": list(texts),
            "tokenizer": tokenizer,
            "marks": marks,
            "padding": padding,
            "truncation": truncation,
            "longest": longest,
        }
        return self._post("batch", body, Batch)

    def learn(self, text: str, *, vocabulary: int, against: str) -> Learned:
        """Learn a tokenizer from a text; raise InvalidInput."""
        body = {"text": text, "vocabulary": vocabulary, "against": against}
        return self._post("train", body, Learned, timeout=TRAIN_SECONDS)

    def learned(self, id: str) -> Learned:
        """Return what was learned; raise NotFound if it is gone."""
        return self._get(f"/tokenizers/learned/{path_part(id)}", Learned)

    def steps(self, id: str, text: str) -> tuple[Step, ...]:
        """Return how a text is merged; raise NotFound."""
        path = f"learned/{path_part(id)}/steps"
        return self._post(path, {"text": text}, _Steps).data

    def file(self, id: str) -> bytes:
        """Return a learned tokenizer as a tokenizer.json; raise NotFound."""
        path = f"/tokenizers/learned/{path_part(id)}/tokenizer.json"
        return self._ask("GET", path).content

    def _post(
        self, path: str, body: dict[str, Any], shape: type[S], **options: Any
    ) -> S:
        answer = self._ask("POST", f"/tokenizers/{path}", json=body, **options)
        return self._read(answer, shape)
