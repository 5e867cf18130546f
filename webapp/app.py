"""Wordkeep, the site: lessons, the keep, and the pages around them."""

from __future__ import annotations

import os

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp import api, checks, guards, views
from webapp.content.store import ContentStore
from webapp.db import Database
from webapp.domain.boots import Boot
from webapp.domain.generations.sweeping import sweep_interrupted
from webapp.domain.services import Services
from webapp.files import make_private
from webapp.llm.gateway import Gateway, open_gateway
from webapp.llm.tokenizers import TokenizerClient
from webapp.llm.training import TrainingClient, open_training
from webapp.plugins.check import checks as check_registry
from webapp.plugins.guard import guards as guard_registry
from webapp.plugins.registry import load_plugins
from webapp.security import keyed_digest, load_key
from webapp.settings import Settings
from webapp.web.reading import SiteRequest


def create_app(settings: Settings, *, gateway: Gateway | None = None) -> Flask:
    """Build the site: the only place that sees every part.

    `gateway` replaces the endpoints of `instance/endpoints.yaml`, for tests.
    """
    services = open_services(settings, gateway=gateway)
    app = Flask(__name__, instance_path=str(settings.instance))
    app.request_class = SiteRequest
    # An address works with a slash at its end as well.
    app.url_map.strict_slashes = False
    app.config.update(
        SECRET_KEY=keyed_digest(services.key, "flask sessions"),
        MAX_CONTENT_LENGTH=settings.request_bytes,
        MAX_FORM_MEMORY_SIZE=settings.request_bytes,
        SESSION_COOKIE_NAME=_cookie_name(services.key),
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=90 * 86_400,
    )
    app.extensions["wordkeep"] = services
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops
        )
    views.register(app)
    api.register(app)
    return app


def _cookie_name(key: bytes) -> str:
    """Return a name of the instance's own.

    Browsers send one host's cookies to all its ports: under one name, two instances
    would overwrite each other's and sign their people out.
    """
    return f"wordkeep-{keyed_digest(key, 'name of the cookie')[:8]}"


def open_services(settings: Settings, *, gateway: Gateway | None = None) -> Services:
    """Open database, content and endpoints of an instance for one process."""
    load_plugins(guards)
    guard_registry.freeze()
    load_plugins(checks)
    check_registry.freeze()
    make_private(settings.instance)
    # There from the start, so that the first file in it goes live as any other. What
    # else has its name is told with the content.
    if not os.path.lexists(settings.content):
        settings.content.mkdir()
    # What authors can get wrong comes first, while nothing is open yet.
    content = ContentStore(settings.roots)
    # A stand-in for all models trains none.
    training = open_training(settings, os.environ) if gateway is None else None
    tokenizers = None
    if gateway is None:
        tokenizers = TokenizerClient.of_instance(settings, os.environ)
    gateway = gateway or open_gateway(settings)
    key = load_key(settings.instance)
    database = Database(settings.database)
    boot = Boot(settings.instance)
    sweep_interrupted(database, settings.instance)
    return Services(
        settings=settings,
        db=database,
        content=content,
        gateway=gateway,
        boot=boot,
        key=key,
        training=training or TrainingClient(),
        tokenizers=tokenizers or TokenizerClient(),
    )
