"""GET /metrics: how the site is used, in the text format of Prometheus.

Only for those who run the site: with the key WORDKEEP_METRICS_KEY, or the token of an
admin.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from flask import Blueprint, Response, current_app, g, request
from flask.sansio.blueprints import BlueprintSetupState
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from webapp import meters
from webapp.api.health import Monitor
from webapp.domain.services import Services
from webapp.errors import Forbidden
from webapp.rows import ADMIN, IS_RUNNING, Generation
from webapp.security import constant_time_equal
from webapp.web.context import caller, services

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
# Of addresses that are none of ours, and methods that nobody needs.
_OTHER: Final = "other"

bp = Blueprint("metrics", __name__)


@bp.record
def _set_up(state: BlueprintSetupState) -> None:
    state.app.before_request(_begin)
    state.app.after_request(_count)


@bp.get("/metrics")
def metrics() -> Response:
    """Tell what was counted since the site started, and how it is now."""
    _require_watcher()
    registry = meters.registry()
    registry.register(_Now(services(), current_app.extensions["wordkeep_health"]))
    # The older of the two formats, which every version reads.
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _require_watcher() -> None:
    key = services().settings.metrics_key
    given = request.authorization
    is_bearer = given is not None and given.type == "bearer"
    token = (given.token or "") if given is not None and is_bearer else ""
    if key and constant_time_equal(token, key):
        return
    if caller().role != ADMIN:
        raise Forbidden("The figures of the site are for those who run it.")


def _begin() -> None:
    g.began = time.perf_counter()


def _count(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule is not None else _OTHER
    method = request.method if request.method in _METHODS else _OTHER
    meters.REQUESTS.labels(route, method, str(response.status_code)).inc()
    # Refused before anything else, a request has no beginning.
    if (began := g.get("began")) is not None:
        meters.SECONDS.labels(route).observe(time.perf_counter() - began)
    return response


class _Now(Collector):
    """What is so at the moment of asking, whichever process is asked."""

    def __init__(self, services: Services, monitor: Monitor) -> None:
        self._services = services
        self._monitor = monitor

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield replies that are written or waited for, and how each part is."""
        health = self._monitor.look()
        parts = GaugeMetricFamily(
            "wordkeep_part_ok",
            "1 for a part of the site that is well.",
            labels=["part"],
        )
        for name, check in health.checks.items():
            parts.add_metric([name], check.status == "ok")
        yield parts
        waiting = GaugeMetricFamily(
            "wordkeep_replies_waiting",
            "Replies that wait for their turn at the local models.",
        )
        waiting.add_metric([], self._monitor.waiting)
        yield waiting
        if health.checks["database"].status == "ok":
            yield self._running()

    def _running(self) -> GaugeMetricFamily:
        with self._services.db.read() as session:
            count = session.scalar(
                select(func.count()).select_from(Generation).where(IS_RUNNING)
            )
        running = GaugeMetricFamily(
            "wordkeep_replies_running", "Replies that have begun and not ended."
        )
        running.add_metric([], count or 0)
        return running
