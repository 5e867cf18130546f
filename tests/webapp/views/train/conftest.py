"""The site with a scripted trainer, and a class."""

from __future__ import annotations

import dataclasses

import pytest
from flask import Flask

from tests.kit.training import ScriptedTraining
from webapp.llm.endpoints import Endpoint
from webapp.llm.gateway import Gateway
from webapp.llm.scripted import ScriptedBackend, stand_in_models


@pytest.fixture
def trainer() -> ScriptedTraining:
    """Return the trainer; send its runs where they shall go."""
    return ScriptedTraining()


@pytest.fixture
def app(app: Flask, trainer: ScriptedTraining, backend: ScriptedBackend) -> Flask:
    """Return the site of the other tests of pages, with the trainer."""
    names = {**stand_in_models("echo"), "soup": "echo", "my-guard": "echo"}
    gateway = Gateway(
        [Endpoint("local", "scripted", names)], backends={"local": backend}
    )
    app.extensions["wordkeep"] = dataclasses.replace(
        app.extensions["wordkeep"], training=trainer.client(), gateway=gateway
    )
    return app
