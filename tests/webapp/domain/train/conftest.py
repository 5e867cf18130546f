"""A world with a scripted trainer in it."""

from __future__ import annotations

import dataclasses

import pytest

from tests.kit.training import ScriptedTraining
from tests.kit.world import World


@pytest.fixture
def trainer() -> ScriptedTraining:
    """Return the trainer; send its runs where they shall go."""
    return ScriptedTraining()


@pytest.fixture
def world(world: World, trainer: ScriptedTraining) -> World:
    """Return the world of the other tests of the domain, with the trainer."""
    world.services = dataclasses.replace(world.services, training=trainer.client())
    return world
