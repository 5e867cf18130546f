"""Models and data for tests of judging: a trainer with rows, and scripted models."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2

from tests.kit.training import ScriptedTraining
from webapp.domain.services import Services
from webapp.llm.cancel import Cancel
from webapp.llm.endpoints import LOCAL, Endpoint
from webapp.llm.events import BackendEvent, ChatRequest
from webapp.llm.gateway import Gateway
from webapp.llm.scripted import ScriptedBackend, stand_in_models
from webapp.rows import PRIVATE, DataFile, TrainedModel

LEARNED = "Chop the onions and fry them in butter until they are golden, then add salt."
KEPT_BACK = (
    {"text": "How do I cook rice?", "answer": "Boil it in salted water."},
    {"text": "How do I bake bread?", "answer": "Knead the dough and bake it hot."},
)


@dataclass
class TrainingWithRows(ScriptedTraining):
    """The scripted trainer, with the rows of every job and the text of every file."""

    # Without them it answers as one that does not have the data any more.
    rows: dict[str, tuple[dict[str, Any], ...]] = field(
        default_factory=lambda: {
            "train": ({"text": "How do I fry onions?\n", "answer": LEARNED},),
            "validation": KEPT_BACK,
        }
    )
    content: bytes = b""

    def _route(self, request: httpx2.Request, path: list[str], body: Any) -> Any:
        match request.method, path:
            case "GET", ["fine_tuning", "jobs", _, "rows"]:
                part = request.url.params["part"]
                if part not in self.rows:
                    return super()._route(request, ["gone"], body)
                limit = int(request.url.params["limit"])
                return {"object": "list", "data": list(self.rows[part][:limit])}
            case "GET", ["files", _, "content"] if self.content:
                return self.content
        return super()._route(request, path, body)


class Speakers(ScriptedBackend):
    """Models that each say what they were given, the last of it again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.says: defaultdict[str, deque[str]] = defaultdict(deque)

    def _answer(self, request: ChatRequest, cancel: Cancel) -> Generator[BackendEvent]:
        lines = self.says[request.model]
        if not lines or self._replies:
            yield from super()._answer(request, cancel)
            return
        line = lines.popleft() if len(lines) > 1 else lines[0]
        yield from self._say(line, request, cancel, self.delay)


class Judge(ScriptedBackend):
    """A judge that prefers the reply with the most of some words, or says `answer`."""

    def __init__(self, words: Sequence[str] = (), answer: str = "") -> None:
        super().__init__(name="hosted")
        self._words = words
        self._said = answer

    def _answer(self, request: ChatRequest, cancel: Cancel) -> Generator[BackendEvent]:
        if self._replies:
            yield from super()._answer(request, cancel)
            return
        asked = request.messages[-1]["content"]
        parts = asked.partition("\nReply A:\n")[2].split("\nReply B:\n")
        a, b = (sum(part.count(word) for word in self._words) for part in parts)
        better = "tie" if a == b else "A" if a > b else "B"
        yield from self._say(self._said or better, request, cancel, self.delay)


def with_speakers(
    services: Services,
    backend: ScriptedBackend,
    *names: str,
    judge: ScriptedBackend | None = None,
) -> Services:
    """Return services whose gateway serves models of these names as well.

    With `judge` there is an endpoint whose model judges.
    """
    models = stand_in_models("keeper") | {"smollm2": "smollm2"}
    endpoint = Endpoint(LOCAL, "scripted", models | {name: name for name in names})
    endpoints, backends = [endpoint], {LOCAL: backend}
    if judge is not None:
        mapped = {"arbiter": "arbiter"}
        endpoints.append(Endpoint("hosted", "scripted", mapped, judge="arbiter"))
        backends["hosted"] = judge
    gateway = Gateway(endpoints, backends=backends)
    return replace(services, gateway=gateway)


def add_model(
    services: Services,
    player_id: int,
    name: str,
    *,
    title: str = "",
    visibility: str = PRIVATE,
    base: str = "smollm2",
    method: str = "lora",
    prompt: str = "Once upon a time",
    data: dict[str, Any] | None = None,
    job_id: str | None = "",
) -> int:
    """Write a trained model down as it is after a run; return its id."""
    with services.db.write() as session:
        file = DataFile(
            player_id=player_id,
            file_id=f"file-{name}",
            name="Recipes",
            settings={},
            report=None,
            created_at=services.now(),
        )
        session.add(file)
        session.flush()
        row = TrainedModel(
            player_id=player_id,
            data_id=file.id,
            form=f"form-{name}",
            job_id=f"ftjob-{name}" if job_id == "" else job_id,
            name=name,
            title=title or name.title(),
            base=base,
            status="succeeded",
            settings={
                "choices": {"method": method},
                "data": data or {},
                "data_name": "Recipes",
            },
            figures={},
            visibility=visibility,
            prompt=prompt,
            created_at=services.now(),
        )
        session.add(row)
        session.flush()
        return row.id
