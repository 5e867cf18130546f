"""The rows of the database."""

from webapp.models.calibration import Calibration
from webapp.models.people import (
    ADMIN,
    INSTRUCTOR,
    PLAYER,
    ROLES,
    ApiToken,
    Player,
    SchoolClass,
)
from webapp.models.play import (
    BLOCKED,
    COUNTED,
    FAILED,
    FINISHED,
    INTERRUPTED,
    RUNNING,
    STOPPED,
    Generation,
    Guess,
    HintUse,
    LevelVersion,
    Solve,
    Usage,
    Visit,
)

__all__ = [
    "ADMIN",
    "BLOCKED",
    "COUNTED",
    "FAILED",
    "FINISHED",
    "INSTRUCTOR",
    "INTERRUPTED",
    "PLAYER",
    "ROLES",
    "RUNNING",
    "STOPPED",
    "ApiToken",
    "Calibration",
    "Generation",
    "Guess",
    "HintUse",
    "LevelVersion",
    "Player",
    "SchoolClass",
    "Solve",
    "Usage",
    "Visit",
]
