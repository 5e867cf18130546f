"""How a tree begins: a text, or a chat, and the model that reads it."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from sqlalchemy import select

from webapp.domain.lab.expected import Cut, expected
from webapp.domain.lab.looking import Look, Seen, look
from webapp.domain.lab.models import models_for, require_model
from webapp.domain.people.players import require_player, require_room
from webapp.domain.safety.answers import SiteAnswer
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.errors import InvalidInput
from webapp.llm import gateway as llm
from webapp.plugins.asking import Message
from webapp.rows import LabNode, LabTree

TEXT_CHARS: Final = 2000
MOST_TREES: Final = 50
NAME_CHARS: Final = 80
LISTED: Final = 20
TEXT, CHAT = "text", "chat"


@dataclass(frozen=True, slots=True)
class Start:
    """What a tree grows from. Of a chat: what is said, the system prompt, and how the
    reply begins.
    """

    text: str
    talk: str = TEXT
    system: str = ""
    reply: str = ""

    @property
    def is_chat(self) -> bool:
        """Whether the model reads it as a chat."""
        return self.talk == CHAT

    @property
    def typed(self) -> str:
        """All that a person wrote."""
        return "\n".join(filter(None, (self.system, self.text, self.reply)))

    @property
    def title(self) -> str:
        """Its first words, to recognise it by."""
        return " ".join(self.text.split())[:NAME_CHARS]


def read_start(*, text: str, talk: str, system: str, reply: str) -> Start:
    """Return what a form wants to begin with; raise InvalidInput."""
    if talk not in {TEXT, CHAT}:
        raise InvalidInput("Choose whether it is a text or a chat.")
    names = {"text": text, "system prompt": system, "beginning of the reply": reply}
    for name, value in names.items():
        if len(value) - value.count("\r\n") > TEXT_CHARS:
            raise InvalidInput(f"The {name} has at most {TEXT_CHARS:,} characters.")
    said, told, begun = (
        require_text(value, what=name) for name, value in names.items()
    )
    if not said.strip():
        raise InvalidInput("The text is empty. Write how it begins.")
    is_chat = talk == CHAT
    return Start(said, talk, told if is_chat else "", begun if is_chat else "")


def plant(
    services: Services,
    *,
    player_id: int,
    model: str,
    start: Start,
    cut: Cut,
    form: str,
) -> int | SiteAnswer:
    """Look at what may follow a beginning, and keep it as a tree; return its id.

    The same form plants one only. Raises InvalidInput for a model that the player may
    not ask, Conflict where there are too many, QuotaExceeded and BackendError.
    """
    mark = hashlib.sha256(form.encode()).hexdigest()
    named = require_model(models_for(services, player_id=player_id), model).name
    with services.db.write() as session:
        require_player(session, player_id, lock=True)
        known = session.scalar(
            select(LabTree.id).where(
                LabTree.player_id == player_id, LabTree.form == mark
            )
        )
        if known is not None:
            return known
        require_room(session, LabTree, player_id, most=MOST_TREES, what="trees")
    request = _request(named, start, cut, user=f"player-{player_id}")

    def ask() -> Seen[llm.NextTokens]:
        told = services.gateway.next_tokens(llm.NextRequest(request, LISTED))
        return Seen(told, len(told.prompt_ids))

    wanted = Look(
        model=named,
        ask=ask,
        settings=asdict(cut),
        prompt=request.text if request.text is not None else _messages(request),
        typed=start.typed,
    )
    told = look(services, player_id=player_id, wanted=wanted)
    if isinstance(told, SiteAnswer):
        return told
    ahead = expected(told, cut)
    with services.db.write() as session:
        tree = LabTree(
            player_id=player_id,
            form=mark,
            name=start.title,
            model=named,
            start=asdict(start),
            ids=list(told.prompt_ids),
            created_at=services.now(),
        )
        session.add(tree)
        session.flush()
        root = LabNode(tree_id=tree.id, how="", ahead=ahead and ahead.as_row())
        session.add(root)
        return tree.id


def sampling(cut: Cut, seed: int | None = None) -> llm.Sampling:
    """Return a cut as the gateway takes it."""
    return llm.Sampling(
        temperature=cut.temperature, top_p=cut.top_p, top_k=cut.top_k, seed=seed
    )


def _request(model: str, start: Start, cut: Cut, *, user: str) -> llm.ChatRequest:
    request = llm.ChatRequest(model, sampling=sampling(cut), user=user)
    if not start.is_chat:
        return replace(request, text=start.text)
    turns: list[Message] = [{"role": "user", "content": start.text}]
    if start.system:
        turns.insert(0, {"role": "system", "content": start.system})
    return replace(
        request,
        messages=tuple(turns),
        start_reply=start.reply,
        default_system=False,
    )


def _messages(request: llm.ChatRequest) -> list[dict[str, Any]]:
    begun = {"role": "assistant", "content": request.start_reply}
    return [
        *map(dict, request.messages),
        *([begun] if request.start_reply else []),
    ]
