"""A job and its events in the shapes of OpenAI's API, with what is ours beside."""

from __future__ import annotations

import time
from typing import Any, Final

from finetune.jobs.guard_jobs import is_guard
from finetune.jobs.job import Job
from finetune.jobs.runs import RunLog, Runs
from finetune.jobs.states import ALLOWED

Json = dict[str, Any]

_LEVELS: Final = {"failed": "error", "stopped": "warn", "missing": "warn"}
_METRICS: Final = {"step", "judged", "finished"}
_CODE: Final = "training_failed"


def job_object(
    job: Job, runs: Runs, *, position: int | None, wait_seconds: float | None
) -> Json:
    """Return a job as `/v1/fine_tuning/jobs/{id}` tells it."""
    log = runs.log(job.id)
    progress = _progress(job, log)
    left = progress["seconds_left"] if job.status == "running" else wait_seconds
    is_over = job.status == "succeeded"
    not_served = runs.not_served(job.id) if is_over else ""
    return {
        "id": job.id,
        "object": "fine_tuning.job",
        "created_at": int(job.created),
        "finished_at": int(job.finished) or None,
        "model": job.model,
        "fine_tuned_model": job.name if is_over and not not_served else None,
        "status": job.status,
        "error": _error(job),
        "trained_tokens": job.tokens if is_over else None,
        "hyperparameters": _hyperparameters(job),
        "method": {
            "type": "supervised",
            "supervised": {"hyperparameters": _hyperparameters(job)},
        },
        "seed": job.recipe["seed"],
        "training_file": job.training_file,
        "validation_file": None,
        "result_files": [],
        "organization_id": "",
        "estimated_finish": _finish(job, left),
        "metadata": job.asked.get("metadata"),
        "user": job.user,
        "suffix": job.asked.get("suffix"),
        "name": job.name,
        "position": position,
        "wait_seconds": None if wait_seconds is None else round(wait_seconds),
        "recipe": job.recipe,
        "expected_seconds": round(job.expected),
        "progress": progress,
        "figures": job.figures or log.last_judged(),
        "test": job.test or None,
        "wish": job.wish or None,
        "not_served": not_served or None,
        "can_resume": can_resume(job, runs),
        "machine": job.machine or None,
    }


def can_resume(job: Job, runs: Runs) -> bool:
    """Whether a job that does not run can go on; one that never began can, too."""
    if job.status not in ALLOWED["resume"]:
        return False
    if is_guard(job):
        return True  # it begins again, and takes seconds
    return runs.has_checkpoint(job.id) or runs.is_complete(job.id) or not job.started


def event_objects(job: Job, log: RunLog) -> list[Json]:
    """Return what a run told, the first event first."""
    return [
        {
            "id": f"ftevent-{job.id.removeprefix('ftjob-')}-{number}",
            "object": "fine_tuning.job.event",
            "created_at": int(event.get("time", job.created)),
            "level": _LEVELS.get(event.get("event", ""), "info"),
            "message": sentence(event),
            "type": "metrics" if event.get("event") in _METRICS else "message",
            "data": event,
        }
        for number, event in enumerate(log.events)
    ]


def sentence(event: Json) -> str:
    """Say in a sentence what an event of a run tells."""
    match event:
        case {"event": "started", "is_resumed": True}:
            return "The training goes on where it was."
        case {"event": "started"}:
            return "The training begins."
        case {"event": "rows", "train": train, "held_out": held_out}:
            kept = f" and {held_out} rows are kept to judge by" if held_out else ""
            return f"The data is read: {train} rows to learn from{kept}."
        case {"event": "stage", "of": of, "learned": learned}:
            return f"At most {of} updates of {learned:,} weights are to be made."
        case {"event": "step", "update": update, "of": of, "loss": loss}:
            told = "" if loss is None else f", training loss {loss:.3f}"
            return f"Step {update} of {of}{told}."
        case {"event": "judged", "update": update, "figures": {"heldout_loss": loss}}:
            return f"After step {update} the held-out loss is {loss:.3f}."
        case {"event": "sampled", "update": update}:
            return f"After step {update} the model was asked to write."
        case {"event": "smaller", "rows": rows}:
            return f"The memory ran out: now {rows} rows are read at a time."
        case {"event": "saved", "update": update}:
            return f"A checkpoint was written after step {update}."
        case {"event": "paused"}:
            return "The training waits, so that others can play."
        case {"event": "continued"}:
            return "The training goes on."
        case {"event": "stopped", "update": update}:
            return f"The training was ended after step {update}; it can go on."
        case {"event": "finished"}:
            return "The training is over."
        case {"event": "failed" | "told", "message": message}:
            return str(message)
        case {"event": "missing", "file": file}:
            return f"The file {file} is not there and is left out."
    return f"{event.get('event', 'Something')} was told."


def _progress(job: Job, log: RunLog) -> Json:
    step, recipe = log.step, job.recipe
    update = step.get("update", 0)
    of = step.get("of") or log.stage.get("of")
    seconds = step.get("seconds", 0.0)
    epoch = update / of * recipe["epochs"] if of else 0.0
    if of and recipe.get("updates"):
        epoch = _epoch_of_tokens(step, log, default=epoch)
    return {
        "update": update,
        "of": of,
        "epoch": round(epoch, 3),
        "loss": step.get("loss"),
        "heldout_loss": log.last_judged().get("heldout_loss"),
        "tokens": step.get("tokens"),
        "tokens_per_second": step.get("tokens_per_second"),
        "seconds": seconds,
        "seconds_left": _seconds_left(job, update, of, seconds),
        "yielding": job.is_yielding,
    }


def _epoch_of_tokens(step: Json, log: RunLog, *, default: float) -> float:
    tokens, each = step.get("tokens"), log.rows.get("tokens")
    return tokens / each if tokens and each else default


def _seconds_left(
    job: Job, update: int, of: int | None, seconds: float
) -> float | None:
    """Return how long a run still learns: by its updates or its minutes, the sooner."""
    if not (update and of and seconds):
        return None
    left = [seconds / update * (of - update)]
    if job.recipe.get("minutes"):
        left.append(60 * job.recipe["minutes"] - seconds)
    return round(max(0.0, min(left)), 1)


def _finish(job: Job, left: float | None) -> int | None:
    """Return when the model is likely to be there, in seconds since 1970."""
    if job.status not in ("queued", "running"):
        return None
    if job.status == "queued":
        return None if left is None else int(time.time() + left + job.expected)
    return int(time.time() + (job.expected if left is None else left))


def _hyperparameters(job: Job) -> Json:
    asked = job.asked.get("hyperparameters") or {}
    recipe = job.recipe
    return {
        "n_epochs": max(1, round(recipe["epochs"])),
        "batch_size": recipe["rows"] * recipe["accumulate"],
        "learning_rate_multiplier": asked.get("learning_rate_multiplier", "auto"),
    }


def _error(job: Job) -> Json | None:
    if not job.error:
        return None
    return {"code": _CODE, "message": job.error, "param": None}
