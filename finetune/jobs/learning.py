"""What the sidecar and the workers of an instance share: where all of it lies."""

from __future__ import annotations

from pathlib import Path

from finetune.data.shipped import SETS, write_set
from finetune.jobs.bases import BaseModel, find_base
from finetune.jobs.errors import CannotKeep
from finetune.jobs.files import SHIPPED, FileStore, disk_sentence, no_such_file
from finetune.jobs.hub_bases import HubBases
from finetune.jobs.hub_data import HubData
from finetune.jobs.runs import Runs
from finetune.jobs.speeds import Speeds
from finetune.jobs.store import JobStore
from finetune.jobs.workers import own_place
from finetune.settings import Settings
from finetune.weights.depot import open_depot
from finetune.weights.files import made_once
from finetune.weights.hub import Hub


class Learning:
    """The files, jobs, runs and speeds of one instance, or what machines share."""

    def __init__(self, settings: Settings, *, follows: bool = False) -> None:
        """`follows`: it trains nothing, and sees of runs what their workers share."""
        self.settings = settings
        self.models = settings.instance / "models"
        self.depot = open_depot(
            settings.store_url, incoming=settings.instance / "incoming"
        )
        self.files = FileStore(settings.instance / "files", self.depot)
        self.place = settings.machine or own_place()
        self.jobs = JobStore(
            settings.jobs_url or settings.instance / "jobs.db",
            own=self.place,
            silent=settings.silent_seconds,
        )
        is_elsewhere = follows and self.depot.is_shared
        self.runs = Runs(settings.instance / ("followed" if is_elsewhere else "runs"))
        self.speeds = Speeds(settings.instance / "speeds.json")
        hub = Hub(self.models, settings.instance / "hub")
        self.of_hub = HubBases(hub, most_bytes=settings.hub_bytes)
        self.hub_data = HubData(settings.datasets_url, most_bytes=settings.file_bytes)

    def base(self, name: str) -> BaseModel:
        """Return a model to start from, by its name here or on the hub.

        Raises NoSuch, JobError, or HubError if the hub does not tell of it.
        """
        return self.of_hub.find(name) if self.of_hub.knows(name) else find_base(name)

    def data_path(self, file_id: str) -> Path:
        """Return where a file or a shipped set lies; raise NoSuch or CannotKeep."""
        if not file_id.startswith(SHIPPED):
            return self.files.path(file_id).absolute()
        name = file_id.removeprefix(SHIPPED)
        if name not in SETS:
            raise no_such_file(file_id)
        path = self.settings.instance / "files" / "shipped" / f"{name}.jsonl"
        try:
            return made_once(path, lambda new: write_set(name, new)).absolute()
        except OSError as error:
            raise CannotKeep(disk_sentence(error, f"The shipped set {name}")) from error

    def filename(self, file_id: str) -> str:
        """Return what a person calls a file; raise NoSuch."""
        if not file_id.startswith(SHIPPED):
            return self.files.get(file_id).filename
        name = file_id.removeprefix(SHIPPED)
        if name not in SETS:
            raise no_such_file(file_id)
        return f"{name}.jsonl"
