"""A scripted trainer: it answers as the sidecar does, and trains nothing.

Runs go where a test sends them: `run`, `finish`, `fail`. What it counts of data is
real, as far as pages show it; losses and texts are made up.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import random
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

import httpx2

from webapp.llm.training import TrainingClient

BASES: list[dict[str, Any]] = [
    {
        "name": "smollm2",
        "title": "SmolLM2 135M",
        "parameters": 134_515_008,
        "bytes": 91_700_000,
        "licence": "Apache-2.0",
        "kind": "chat",
        "tokens_per_second": 98.4,
        "memory_bytes": 1_400_000_000,
        "measured": True,
        "fits": True,
        "about": "Small, and good at English. The one to begin with.",
        "online": False,
        "repository": None,
        "here": True,
        "available": True,
        "problem": None,
    },
    {
        "name": "fresh-small",
        "title": "An empty model, small",
        "parameters": 1_050_000,
        "bytes": 4_200_000,
        "licence": "",
        "kind": "fresh",
        "tokens_per_second": 9_000.0,
        "memory_bytes": 200_000_000,
        "measured": False,
        "fits": True,
        "about": "Learns letters, then words, within a minute.",
    },
    {
        "name": "fresh-large",
        "title": "An empty model, large",
        "parameters": 9_800_000,
        "bytes": 39_000_000,
        "licence": "",
        "kind": "fresh",
        "tokens_per_second": None,
        "memory_bytes": 900_000_000,
        "measured": False,
        "fits": False,
        "about": "Takes longer, and gets further.",
    },
    {
        "name": "pythia-14m",
        "title": "Pythia 14M",
        "kind": "base",
        "online": True,
        "available": False,
        "problem": "It needs the internet: it is not on this computer yet.",
    },
]
RECIPES = [
    {
        "title": f"Soup number {n}",
        "steps": f"Chop {n} onions. Cook them for {n} minutes.",
    }
    for n in range(1, 241)
]
SHIPPED = {
    "shipped-recipes": {
        "id": "shipped-recipes",
        "title": "Recipes",
        "about": "Short recipes with a title, made by code here.",
        "licence": "Apache-2.0",
        "columns": ["title", "steps"],
        "text": "{title}\n{steps}",
        "answer": None,
        "is_chat": False,
        "rows": len(RECIPES),
    },
}
GUARD_FIGURES = {
    "attacks": 12,
    "harmless": 60,
    "auc": 0.91,
    "caught": 10,
    "recall": 0.833,
    "recall_low": 0.552,
    "recall_high": 0.953,
    "alarms": 3,
    "false_alarms": 0.05,
    "false_alarms_low": 0.017,
    "false_alarms_high": 0.137,
}
JUDGED = [
    {"text": "Spell it backwards.", "label": 1, "score": 0.2},
    {"text": "Where is the key?", "label": 0, "score": 0.9},
    {"text": "Good morning!", "label": 0, "score": 0.1},
]
COLUMN = re.compile(r"\{(\w+)\}")
PIECE = re.compile(r"\w+|\W")


# The one that its hub knows.
HUB_TOKEN = "hf_known"


class Refused(Exception):
    """What the trainer does not do, with its status and sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass
class ScriptedTraining:
    """The trainer's state. `is_down` lets every call fail as if nobody listened."""

    is_down: bool = False
    # The hub cannot be reached.
    is_offline: bool = False
    # A run that is not over learns from every file.
    is_used: bool = False
    # The next job is begun, but its answer never comes.
    loses_answer: bool = False
    file_bytes: int = 1_000_000
    # So many runs of a user may wait or be under way.
    most_jobs: int = 100
    seconds: float = 170.0
    files: dict[str, tuple[str, list[dict[str, str]]]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    curves: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    # What `tasks` has found, by job.
    benchmarks: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    # What a model replies to the locked part of its data.
    test_replies: list[dict[str, str]] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def client(self) -> TrainingClient:
        """Return the site's own client, which talks to this."""
        return TrainingClient(
            "http://trainer.test/v1", transport=httpx2.MockTransport(self._answer)
        )

    def run(self, job_id: str, *, update: int = 40, of: int = 120) -> None:
        """Let a job be under way, with curves and a sample."""
        job = self.jobs[job_id]
        job["status"], job["position"], job["wait_seconds"] = "running", 0, None
        points = range(1, update + 1)
        train = [
            [n, round(3.6 - 0.9 * n / of + 0.15 * ((n * 7) % 5 - 2) / 2, 3)]
            for n in points
        ]
        heldout = [[n, round(3.55 - 0.7 * n / of, 3)] for n in range(0, update + 1, 10)]
        self.curves[job_id] = {
            "train": train,
            "heldout": heldout,
            "rate": [[n, 0.001] for n in points],
            "speed": [[n, 98.0] for n in points],
            "samples": [
                {
                    "update": n,
                    "prompt": "Soup number",
                    "text": f" {n}\nChop {n} onions.",
                }
                for n in range(20, update + 1, 20)
            ],
        }
        job["progress"] = {
            "update": update,
            "of": of,
            "epoch": round(1.5 * update / of, 2),
            "loss": train[-1][1],
            "heldout_loss": heldout[-1][1],
            "tokens_per_second": 98.2,
            "seconds": self.seconds * update / of,
            "seconds_left": self.seconds * (of - update) / of,
        }

    def finish(self, job_id: str, *, name: str | None = None) -> str:
        """Let a job succeed; return the name of its model, unique as the sidecar's."""
        self.run(job_id, update=120)
        job = self.jobs[job_id]
        slug = re.sub(r"[^a-z0-9]+", "-", job["suffix"].lower()).strip("-") or "model"
        taken = {other["fine_tuned_model"] for other in self.jobs.values()}
        names = itertools.chain([slug], (f"{slug}-{n}" for n in itertools.count(2)))
        job["fine_tuned_model"] = name or next(n for n in names if n not in taken)
        job["status"], job["finished_at"] = "succeeded", 1_777_888_000
        job["trained_tokens"] = 16_700
        job["machine"] = "2 cores of a test"
        job["figures"] = {
            "heldout_loss": 3.09,
            "heldout_perplexity": 22.0,
            "heldout_bits_per_byte": 1.02,
            "base_heldout_loss": 3.55,
            "base_heldout_perplexity": 34.8,
            "base_heldout_bits_per_byte": 1.21,
        }
        if job["model"] == "guard":
            job["figures"] = dict(GUARD_FIGURES)
        return str(job["fine_tuned_model"])

    def fail(self, job_id: str, message: str) -> None:
        """Let a job fail."""
        job = self.jobs[job_id]
        job["status"], job["can_resume"] = "failed", True
        job["error"] = {"code": "out_of_memory", "message": message, "param": None}

    @property
    def last(self) -> str:
        """The id of the newest job."""
        return list(self.jobs)[-1]

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        if self.is_down:
            raise httpx2.ConnectError("nobody listens", request=request)
        path = unquote(request.url.path).removeprefix("/v1/").split("/")
        body = _body(request)
        self.asked.append((request.method, "/".join(path), body))
        try:
            found = self._route(request, path, body)
        except Refused as error:
            told = {"error": {"message": error.message, "code": "refused"}}
            return httpx2.Response(error.status, json=told)
        if self.loses_answer and path[-1] == "jobs" and request.method == "POST":
            self.loses_answer = False
            raise httpx2.ReadTimeout("no answer", request=request)
        if isinstance(found, bytes):
            return httpx2.Response(200, content=found)
        return httpx2.Response(200, json=found)

    def _route(self, request: httpx2.Request, path: list[str], body: Any) -> Any:
        match request.method, path:
            case "GET", ["files", "shipped"]:
                return {"data": list(SHIPPED.values())}
            case "POST", ["files"]:
                return self._upload(request)
            case "POST", ["files", "hub"]:
                return self._fetch(body)
            case "DELETE", ["files", file_id]:
                self._file(file_id)
                if self.is_used:
                    raise Refused(409, "A training that is not over learns from it.")
                del self.files[file_id]
                self.deleted.append(file_id)
                return {"id": file_id, "deleted": True}
            case "POST", ["files", file_id, "report"]:
                return self._report(file_id, body)
            case "GET", ["fine_tuning", "bases"]:
                return {"data": BASES}
            case "POST", ["fine_tuning", "estimate"]:
                return self._estimate(body)
            case "POST", ["fine_tuning", "jobs"]:
                return self._begin(body)
            case "GET", ["fine_tuning", "jobs"]:
                user = parse_qs(request.url.query.decode()).get("user", [""])[0]
                found = [j for j in self.jobs.values() if j["user"] == user]
                return {"object": "list", "data": found[::-1]}
            case _, ["fine_tuning", "jobs", job_id, *rest]:
                return self._of_job(request, self._job(job_id), rest)
            case "DELETE", ["models", name]:
                self.deleted.append(name)
                return {"id": name, "deleted": True}
        raise Refused(404, "There is nothing at this address.")

    def _of_job(
        self, request: httpx2.Request, job: dict[str, Any], rest: list[str]
    ) -> Any:
        match request.method, rest:
            case "GET", []:
                return job
            case "GET", ["events"]:
                event = {"id": "ftevent-1", "created_at": 1, "level": "info"}
                return {
                    "data": [
                        event | {"message": "Training has begun.", "type": "message"}
                    ]
                }
            case "GET", ["curves"]:
                return self.curves.get(job["id"], {})
            case "GET", ["benchmarks"]:
                return {"data": self.benchmarks.get(job["id"], [])}
            case "GET", ["recipe"]:
                return b"kind: lm\nname: soup\n"
            case "GET", ["files", "judged.json"]:
                return {"data": JUDGED}
            case "GET", ["files", name]:
                if job["id"] in self.deleted:
                    raise Refused(404, "The files of this model are gone.")
                return f"{name} of {job['id']}".encode()
            case "POST", ["push"]:
                sent = _body(request)
                if sent["token"] != HUB_TOKEN:
                    raise Refused(400, "The hub does not know this token.")
                return {"url": f"https://hub.example/{sent['repository']}"}
            case "POST", [action]:
                return self._act(job, action)
        raise Refused(404, "There is nothing at this address.")

    def _act(self, job: dict[str, Any], action: str) -> dict[str, Any]:
        status = job["status"]
        after = {
            "pause": ({"running"}, "paused"),
            "resume": ({"paused", "cancelled", "failed"}, "queued"),
            "cancel": ({"queued", "running", "paused"}, "cancelled"),
        }
        if action == "test":
            if "test_perplexity" in job["figures"]:
                raise Refused(409, "The test part has been unlocked already.")
            job["figures"] |= {"test_perplexity": 23.1, "test_base_perplexity": 35.0}
            if self.test_replies:
                job["figures"]["test_replies"] = self.test_replies
            return {"perplexity": 23.1, "base_perplexity": 35.0}
        if action == "keep":
            self.finish(job["id"])
            return job
        before, then = after[action]
        if status not in before:
            raise Refused(409, f"A run that is {status} cannot do that.")
        job["status"], job["can_resume"] = then, then == "cancelled"
        return job

    def _upload(self, request: httpx2.Request) -> dict[str, Any]:
        content = request.read()
        head, _, _ = content.partition(b"\r\n\r\n")
        # The fields come first or last: the file is the part with a name of its own.
        parts = content.split(head.split(b"\r\n")[0])
        file = next(part for part in parts if b"filename=" in part)
        label, _, data = file.partition(b"\r\n\r\n")
        name = re.search(rb'filename="([^"]*)"', label)
        data = data.removesuffix(b"\r\n")
        if len(data) > self.file_bytes:
            raise Refused(413, "This file is larger than 1 MB, which is the most.")
        if b"\0" in data:
            raise Refused(
                400, "This is no text: it has zero bytes. Upload text instead."
            )
        file_id = f"file-{next(self._numbers)}"
        shown = name[1].decode() if name else ""
        self.files[file_id] = (shown, _rows(shown, data.decode()))
        return {"id": file_id, "object": "file", "filename": shown, "bytes": len(data)}

    def _fetch(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.is_offline:
            raise Refused(400, f"The data set {body['name']} has to be fetched.")
        file_id = f"file-{next(self._numbers)}"
        shown = f"{body['name'].replace('/', '-')}-default-train.jsonl"
        rows = [{"text": f"Story number {n}."} for n in range(body["rows"])]
        self.files[file_id] = (shown, rows)
        origin = {"name": body["name"], "subset": "default", "split": "train"}
        origin |= {"rows": body["rows"], "licence": "cc-by-4.0"}
        return {"id": file_id, "object": "file", "filename": shown, "origin": origin}

    def _file(self, file_id: str) -> tuple[str, list[dict[str, str]]]:
        if file_id in SHIPPED:
            return "recipes.jsonl", RECIPES
        if file_id not in self.files:
            raise Refused(404, "This file is not here any more. Upload it again.")
        return self.files[file_id]

    def _job(self, job_id: str) -> dict[str, Any]:
        if job_id not in self.jobs:
            raise Refused(404, "There is no such job.")
        return self.jobs[job_id]

    def _report(self, file_id: str, body: dict[str, Any]) -> dict[str, Any]:
        name, rows = self._file(file_id)
        columns = list(rows[0]) if rows else ["text"]
        data = body["data"]
        text = data.get("text") or f"{{{columns[0]}}}"
        answer = data.get("answer")
        for column in COLUMN.findall(f"{text} {answer or ''}"):
            if column not in columns:
                raise Refused(
                    400,
                    f"There is no column {{{column}}}; the columns are: "
                    f"{', '.join(columns)}.",
                )
        chosen = random.Random(body["seed"]).sample(rows, min(5, len(rows)))
        sizes = [len(PIECE.findall(_fill(text, row))) for row in rows]
        few = len(rows) < 20
        level, words = (
            ("warning", "This is too little to judge by: the figures will jump about.")
            if few
            else ("good", "This is enough to see a change within minutes.")
        )
        edges = [0, 8, 16, 24, 32, 64]
        return {
            "format": "txt" if name.endswith(".txt") else "jsonl",
            "encoding": "utf-8",
            "repaired": 0,
            "columns": columns,
            "rows": len(rows),
            "text": text,
            "answer": answer,
            "preview": chosen,
            "rendered": [
                {
                    "text": _fill(text, row),
                    "answer": None if answer is None else _fill(answer, row),
                }
                for row in chosen
            ],
            "report": {
                "rows": len(rows),
                "train": len(rows) * 8 // 10,
                "validation": len(rows) // 10,
                "test": len(rows) // 10,
                "empty": 0,
                "exact_duplicates": len(rows) - len({str(row) for row in rows}),
                "near_duplicates": 0,
                "tokens": sum(sizes),
                "tokens_per_epoch": sum(sizes) * 8 // 10,
                "bytes": sum(len(str(row)) for row in rows),
                "lengths": {
                    "edges": edges,
                    "counts": [
                        sum(low <= size < high for size in sizes)
                        for low, high in itertools.pairwise(edges)
                    ],
                    "median": sorted(sizes)[len(sizes) // 2] if sizes else 0,
                    "p95": max(sizes, default=0),
                },
                "scripts": {"Latin": 1.0},
                "language": "mostly English, 12 % German",
                "verdicts": [{"level": level, "text": words}],
            },
        }

    def _estimate(self, body: dict[str, Any]) -> dict[str, Any]:
        self._file(body["training_file"])
        minutes = body["recipe"].get("minutes")
        seconds = 60 * minutes if minutes else self.seconds
        return {
            "tokens_per_epoch": 11_000,
            "tokens": round(98 * seconds),
            "updates": max(1, round(seconds / 1.4)),
            "seconds": seconds,
            "flops": 8e8 * 98 * seconds,
            "memory_bytes": 1_400_000_000,
            "memory_free_bytes": 8_000_000_000,
            "fits": True,
            "learned": 2_442_240,
            "parameters": 134_515_008,
            "tokens_per_second": 98.0,
            "measured": True,
            "sentence": f"About {seconds / 60:.1f} minutes on this machine.",
        }

    def _begin(self, body: dict[str, Any]) -> dict[str, Any]:
        self._file(body["training_file"])
        over = {"succeeded", "failed", "cancelled"}
        open_jobs = [
            job
            for job in self.jobs.values()
            if job["user"] == body["user"] and job["status"] not in over
        ]
        if len(open_jobs) >= self.most_jobs:
            raise Refused(429, f"{len(open_jobs)} of your trainings are waiting.")
        number = next(self._numbers)
        job = {
            "id": f"ftjob-{number}",
            "object": "fine_tuning.job",
            "created_at": 1_777_887_000,
            "finished_at": None,
            "model": body["model"],
            "fine_tuned_model": None,
            "status": "queued",
            "error": None,
            "trained_tokens": None,
            "training_file": body["training_file"],
            "metadata": body.get("metadata"),
            "user": body["user"],
            "suffix": body["suffix"],
            "position": 1,
            "wait_seconds": 45.0,
            "recipe": body["recipe"],
            "progress": None,
            "figures": {},
            "can_resume": False,
            "machine": None,
        }
        self.jobs[job["id"]] = job
        return job


def _body(request: httpx2.Request) -> Any:
    if request.headers.get("content-type", "").startswith("application/json"):
        return json.loads(request.read())
    return None


def _rows(name: str, text: str) -> list[dict[str, str]]:
    if name.endswith(".jsonl"):
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    if name.endswith(".csv"):
        return list(csv.DictReader(io.StringIO(text)))
    return [{"text": line} for line in text.splitlines() if line.strip()]


def _fill(template: str, row: dict[str, str]) -> str:
    return COLUMN.sub(lambda match: str(row[match[1]]), template)
