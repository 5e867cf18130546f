"""The rows of the database."""

from webapp.rows.calibration import Calibration
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
