"""A guard of one's own messages: what it learns from, how good it is, what it says."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from webapp.domain import quotas
from webapp.domain.people.players import require_player
from webapp.domain.quotas import Limit, User
from webapp.domain.services import Services
from webapp.domain.texts import require_text
from webapp.domain.train import choices as choosing
from webapp.domain.train import data as datasets
from webapp.domain.train import models, runs
from webapp.domain.train.choices import GUARD, Choices
from webapp.domain.train.runs import RunView
from webapp.errors import Conflict, ContentError, InvalidInput, LabError, NotFound
from webapp.llm.ask import GatewayAsk
from webapp.llm.endpoints import LOCAL
from webapp.llm.training_shapes import Judged
from webapp.plugins.asking import Moderation

# Of each class; of both; and characters of one message. As the sidecar has them.
LEAST, MOST, LONGEST = 10, 2_000, 4_000
# Below, the figures say little; and more of one class than this many times the other.
FEW, ONE_SIDED = 50, 4
FILE_BYTES: Final = 4_000_000
_ATTACK: Final = frozenset({"1", "attack", "attacks"})
_HARMLESS: Final = frozenset({"0", "harmless", "benign", "ok"})


@dataclass(frozen=True, slots=True)
class Messages:
    """What a guard learns from: different messages of each class, in their order."""

    attacks: tuple[str, ...] = ()
    harmless: tuple[str, ...] = ()

    def problem(self) -> str:
        """Say why no guard can be made of them yet; empty if one can."""
        both = {_key(text) for text in self.attacks} & {
            _key(text) for text in self.harmless
        }
        if both:
            text = next(text for text in self.attacks if _key(text) in both)
            return (
                f"“{text[:60]}” is among the attacks and among the harmless messages:"
                " keep it in one of them."
            )
        for texts, called in (
            (self.attacks, "attacks"),
            (self.harmless, "harmless messages"),
        ):
            longest = max(map(len, texts), default=0)
            if longest > LONGEST:
                return (
                    f"One of the {called} has {longest:,} characters: shorten it to"
                    f" {LONGEST:,}."
                )
            if len(texts) < LEAST:
                return (
                    f"There are {len(texts)} {called}: a guard needs at least {LEAST}"
                    " of each kind. Add more."
                )
        if len(self.attacks) + len(self.harmless) > MOST:
            return f"A guard learns from at most {MOST:,} messages: leave some out."
        return ""

    def warnings(self) -> tuple[str, ...]:
        """Say what makes a guard of them weak."""
        found = []
        few, many = sorted((len(self.attacks), len(self.harmless)))
        if few < FEW:
            found.append(
                f"Fewer than {FEW} of a kind: the guard will work, and its figures will"
                " say little."
            )
        if many > ONE_SIDED * max(1, few):
            rare = "attacks" if len(self.attacks) == few else "harmless messages"
            found.append(
                f"One-sided: there are more than {ONE_SIDED} times as many of the other"
                f" kind. The guard will not know well what {rare} look like."
            )
        return tuple(found)

    def lines(self) -> bytes:
        """Return them as the trainer reads them: JSON lines with text and label."""
        labelled = [(1, text) for text in self.attacks]
        labelled += [(0, text) for text in self.harmless]
        rows = (
            json.dumps({"text": text, "label": label}, ensure_ascii=False)
            for label, text in labelled
        )
        return "".join(f"{row}\n" for row in rows).encode("utf-8", "replace")


def read_boxes(attacks: str, harmless: str) -> Messages:
    """Return the messages of two boxes, one in a line; raise InvalidInput."""
    return Messages(_lines(attacks, "attacks"), _lines(harmless, "harmless messages"))


def read_file(name: str, content: bytes) -> Messages:
    """Return the messages of a file: JSON lines or CSV with text and label.

    Raises InvalidInput that names the line.
    """
    if len(content) > FILE_BYTES:
        raise InvalidInput(
            f"The file is too large: at most {FILE_BYTES // 1_000_000} MB are taken."
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("The file is not in UTF-8: save it as UTF-8 text.") from None
    read = _csv if name.lower().endswith((".csv", ".tsv")) else _json_lines
    found: tuple[list[str], list[str]] = ([], [])
    for number, row in read(text):
        found[_label(row.get("label"), number)].append(_text(row.get("text"), number))
    harmless, attacks = found
    return read_boxes("\n".join(attacks), "\n".join(harmless))


def start(
    services: Services, *, player_id: int, messages: Messages, title: str, form: str
) -> int:
    """Keep the messages as data and put the training into the queue; return its id.

    The same form starts one only. Raises InvalidInput, QuotaExceeded, Conflict if there
    is too much data already, and BackendError.
    """
    known = runs.of_form(services, player_id=player_id, form=form)
    if known is not None:
        return known
    title = choosing.clean_title(title)
    problem = messages.problem()
    if problem:
        raise InvalidInput(problem)
    lines = messages.lines()
    mark = hashlib.sha256(lines).hexdigest()[:6]
    data_id = datasets.bring(
        services, player_id=player_id, name=f"messages-{mark}.jsonl", content=lines
    )
    try:
        return runs.start(
            services,
            player_id=player_id,
            data_id=data_id,
            choices=Choices(title=title, base=GUARD),
            form=form,
        )
    except LabError:
        datasets.delete(services, player_id=player_id, data_id=data_id)
        raise


def wrong_ones(services: Services, run: RunView) -> tuple[Judged, ...]:
    """Return what one's own guard got wrong of held-out messages, the worst first.

    Raises NotFound if the trainer does not have them, and BackendError.
    """
    if run.job_id is None:
        return ()
    found = services.training.judged(run.job_id)
    wrong = [one for one in found if one.is_wrong]
    return tuple(sorted(wrong, key=lambda one: -abs(one.score - 0.5)))


def judge(services: Services, *, player_id: int, name: str, text: str) -> Moderation:
    """Ask a guard about a message; it counts for the day as a prompt to a model does.

    Raises NotFound for what is not a guard or not shown to the player, InvalidInput,
    QuotaExceeded, BackendError, and Conflict if the guard is gone.
    """
    if not models.openable(services, player_id=player_id, name=name).is_guard:
        raise NotFound("This is not a guard, so it judges no messages.")
    if not text.strip():
        raise InvalidInput("Write a message first.")
    if len(text) > LONGEST:
        raise InvalidInput(f"A message has at most {LONGEST:,} characters here.")
    text = require_text(text, what="message")
    inside = services.settings
    with services.db.write() as session:
        require_player(session, player_id)
        quotas.spend(
            session,
            now=services.now(),
            user=User(player_id, None),
            what="prompts",
            limits=(
                Limit("player", "minute", inside.model_prompts_per_minute),
                Limit("player", "day", inside.model_prompts_per_day),
            ),
        )
    ask = GatewayAsk(services.gateway, runs.user_of(player_id))
    try:
        return ask.moderate(text, model=f"{LOCAL}/{name}")
    except ContentError:
        raise Conflict(
            "The files of this guard are not on this machine any more, so it cannot"
            " judge anything."
        ) from None


def _lines(text: str, what: str) -> tuple[str, ...]:
    text = require_text(text.replace("\r\n", "\n"), what=what)
    found: dict[str, str] = {}
    for line in text.split("\n"):
        plain = " ".join(line.split())
        if plain:
            found.setdefault(_key(plain), plain)
    return tuple(found.values())


def _key(text: str) -> str:
    return " ".join(text.casefold().split())


def _csv(text: str) -> Iterable[tuple[int, dict[str, Any]]]:
    delimiter = "\t" if "\t" in text.partition("\n")[0] else ","
    try:
        yield from enumerate(csv.DictReader(io.StringIO(text), delimiter=delimiter), 2)
    except csv.Error as error:
        raise InvalidInput(f"The file cannot be read as CSV: {error}.") from None


def _json_lines(text: str) -> Iterable[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise InvalidInput(
                f'Line {number} of the file is not a row such as {{"text": "Hello",'
                ' "label": 0}.'
            )
        yield number, row


def _label(value: object, number: int) -> int:
    word = str(value).strip().casefold()
    if word in _ATTACK or word in _HARMLESS:
        return int(word in _ATTACK)
    raise InvalidInput(
        f"Line {number} of the file needs a label: 1 for an attack, 0 for a harmless"
        " message."
    )


def _text(value: object, number: int) -> str:
    if isinstance(value, str) and value.strip():
        return " ".join(value.split())
    raise InvalidInput(f"Line {number} of the file has no text.")
