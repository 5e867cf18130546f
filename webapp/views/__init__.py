"""The HTML pages: each view parses, calls one use case, and renders."""

from __future__ import annotations

from flask import Flask

from webapp.views.galleries import bp as galleries_pages
from webapp.views.lab.chats import bp as chat_pages
from webapp.views.lab.compare import bp as compare_pages
from webapp.views.lab.documents import bp as document_pages
from webapp.views.lab.given import bp as lab_given_pages
from webapp.views.lab.next import bp as lab_next_pages
from webapp.views.lab.overview import bp as lab_pages
from webapp.views.lab.playground import bp as playground_pages
from webapp.views.lab.prices import bp as price_pages
from webapp.views.lab.serving import bp as serving_pages
from webapp.views.lab.tokenizers import bp as tokenizer_pages
from webapp.views.lab.tools import bp as lab_tools_pages
from webapp.views.learn.course import bp as course_pages
from webapp.views.learn.gallery import bp as gallery_pages
from webapp.views.learn.lesson import bp as lesson_pages
from webapp.views.models.cards import bp as card_pages
from webapp.views.pages import bp as plain_pages
from webapp.views.patterns import bp as patterns_pages
from webapp.views.people.accounts import bp as people_pages
from webapp.views.people.class_bar import bp as class_bar_pages
from webapp.views.play.keep import bp as keep_pages
from webapp.views.play.leaderboard import bp as leaderboard_pages
from webapp.views.play.notebook import bp as notebook_pages
from webapp.views.teach.calibration import bp as teach_pages
from webapp.views.teach.classes import bp as class_pages
from webapp.views.teach.content import bp as content_pages
from webapp.views.teach.content_acts import bp as content_act_pages
from webapp.views.teach.content_tries import bp as content_try_pages
from webapp.views.teach.importing import bp as importing_pages
from webapp.views.teach.joining import bp as joining_pages
from webapp.views.teach.leading import bp as leading_pages
from webapp.views.teach.limits import bp as limits_pages
from webapp.views.teach.own_classes import bp as own_class_pages
from webapp.views.teach.packs import bp as pack_pages
from webapp.views.teach.plans import bp as plan_pages
from webapp.views.teach.reference import bp as content_reference_pages
from webapp.views.teach.roster import bp as roster_pages
from webapp.views.teach.showing import bp as showing_pages
from webapp.views.teach.trials import bp as trial_pages
from webapp.views.teach.wall import bp as wall_pages
from webapp.views.teach.work import bp as work_pages
from webapp.views.train.arena import bp as arena_pages
from webapp.views.train.compared import bp as compared_pages
from webapp.views.train.data import bp as data_pages
from webapp.views.train.guards import bp as guard_pages
from webapp.views.train.models import bp as model_pages
from webapp.views.train.overview import bp as train_pages
from webapp.views.train.runs import bp as run_pages
from webapp.views.train.start import bp as start_pages
from webapp.views.train.sweeps import bp as sweep_pages
from webapp.views.welcome import bp as welcome_pages
from webapp.web import context, faults, masks, protection, rendering


def register(app: Flask) -> None:
    """Add the pages, sign-in, protection and error pages to the site."""
    context.init_app(app)
    protection.init_app(app)
    rendering.init_app(app)
    faults.init_app(app)
    masks.init_app(app)
    for blueprint in (
        welcome_pages,
        people_pages,
        class_bar_pages,
        keep_pages,
        course_pages,
        lesson_pages,
        gallery_pages,
        galleries_pages,
        notebook_pages,
        leaderboard_pages,
        plain_pages,
        card_pages,
        lab_pages,
        playground_pages,
        chat_pages,
        price_pages,
        document_pages,
        tokenizer_pages,
        lab_next_pages,
        lab_given_pages,
        lab_tools_pages,
        compare_pages,
        serving_pages,
        train_pages,
        data_pages,
        start_pages,
        run_pages,
        sweep_pages,
        model_pages,
        guard_pages,
        compared_pages,
        arena_pages,
        teach_pages,
        class_pages,
        work_pages,
        roster_pages,
        wall_pages,
        leading_pages,
        plan_pages,
        showing_pages,
        trial_pages,
        content_reference_pages,
        pack_pages,
        own_class_pages,
        joining_pages,
        importing_pages,
        limits_pages,
        content_pages,
        content_act_pages,
        content_try_pages,
    ):
        app.register_blueprint(blueprint)
    if context.services_of(app).settings.debug_pages:
        app.register_blueprint(patterns_pages)
