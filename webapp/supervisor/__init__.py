"""Run the site and its models together: start, watch, restart, stop."""

from webapp.supervisor.checks import StartError, prepare_instance
from webapp.supervisor.run import Supervisor, sidecar_running

__all__ = ["StartError", "Supervisor", "prepare_instance", "sidecar_running"]
