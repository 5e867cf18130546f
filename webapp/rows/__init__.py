"""The rows of the database."""

from webapp.rows.calibration import Calibration
from webapp.rows.generations import (
    BLOCKED,
    COUNTED,
    FAILED,
    FINISHED,
    INTERRUPTED,
    IS_RUNNING,
    RUNNING,
    STOPPED,
    Generation,
)
from webapp.rows.people import (
    ADMIN,
    INSTRUCTOR,
    PLAYER,
    ROLES,
    ApiToken,
    Player,
    SchoolClass,
)
from webapp.rows.play import (
    ATTEMPT,
    Attempt,
    Guess,
    HintUse,
    LevelVersion,
    Solve,
    Usage,
    Visit,
)

__all__ = [
    "ADMIN",
    "ATTEMPT",
    "BLOCKED",
    "COUNTED",
    "FAILED",
    "FINISHED",
    "INSTRUCTOR",
    "INTERRUPTED",
    "IS_RUNNING",
    "PLAYER",
    "ROLES",
    "RUNNING",
    "STOPPED",
    "ApiToken",
    "Attempt",
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
