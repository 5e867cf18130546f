"""A page with two plain panels, and an endpoint that says what a test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from queue import Empty, Queue
from typing import Final

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.serving import make_server

from webapp.settings import PROJECT

PATIENCE: Final = 20.0
# How often an idle stream writes something, which is how it learns that nobody reads.
BEAT_SECONDS: Final = 0.02
REFUSAL: Final = "Ask for something shorter."
STATIC: Final = PROJECT / "webapp" / "static"

# Nothing here has a class or a style: panels find their parts by data attributes alone.
PANEL: Final = """
<prompt-panel id="{name}" data-stream="{stream}" data-limit="1200"
  data-say-sending="Off it goes" data-say-generating="{name} is at work"
  data-say-waiting="{name} thinks" data-say-place="{name}: {{position}} before you"
  data-say-queued="Place {{position}}" data-say-nothing="{name} is silent"
  data-say-stopping="{name} will stop" data-say-not-stopped="{name} does not stop"
  data-say-stopped="{name} was stopped" data-say-lost="{name} was cut off"
  data-say-unreachable="{name} is far away" data-say-signed-out="Who are you?"
  data-say-refused="{name} will not" data-say-used="{{used}} of {{limit}}"
  data-say-over="{{over}} over {{limit}}" data-tokens="900" data-measure="/size/{name}"
  data-say-tokens="up to {{limit}} tokens"
  data-say-tokens-used="{{used}} of {{limit}} tokens"
  data-say-tokens-over="{{over}} tokens over {{limit}}">
  <ol data-log></ol>
  <p data-empty>Ask {name} something.</p>
  <template data-turn><li>
    <p data-slot="message"></p>
    <div data-slot="body">
      <p data-slot="wait"></p>
      <p data-slot="failed" hidden>No: <span data-slot="failure"></span></p>
      <p data-slot="reply"></p>
      <p data-slot="cut" hidden>You stopped {name}.</p>
    </div>
  </li></template>
  <form method="post" action="/ask/{name}" data-composer>
    <input type="hidden" name="panel" value="{name}">
    <div data-problem></div>
    <label for="{name}-box">Prompt for {name}</label>
    <textarea id="{name}-box" name="prompt" data-prompt></textarea>
    <p data-count></p>
    <p data-count-tokens></p>
    <p data-with-script hidden>Enter sends.</p>
    <button data-send>Send</button>
    <button type="button" data-stop hidden>Stop</button>
    <p role="status" data-status></p>
  </form>
</prompt-panel>
"""
_PAGE: Final = """<!doctype html>
<html lang="en"><title>Panels</title><link rel="icon" href="data:,">
<script type="module" src="/static/js/prompt-panel.js"></script>
<main>{panels}</main></html>
"""


class Call:
    """A prompt that was sent, and the open stream that answers it."""

    def __init__(self, fields: dict[str, str]) -> None:
        self.fields = fields
        self.gone = threading.Event()
        self._waiting: Queue[str | None] = Queue()

    def tell(self, name: str, **data: object) -> None:
        """Send an event."""
        self._waiting.put(f"event: {name}\ndata: {json.dumps(data)}\n\n")

    def reply(self, text: str) -> None:
        """Send a whole reply and the end."""
        self.tell("reply", text=text)
        self.tell("end", id=1)
        self.cut()

    def cut(self) -> None:
        """Close the stream."""
        self._waiting.put(None)

    def stream(self) -> Iterator[str]:
        """Write what is told until it is cut or the reader has gone."""
        try:
            yield from self._written()
        finally:
            self.gone.set()

    def _written(self) -> Iterator[str]:
        while True:
            try:
                event = self._waiting.get(timeout=BEAT_SECONDS)
            except Empty:
                yield ": waiting\n\n"
                continue
            if event is None:
                return
            yield event


class Panels:
    """The page at `url`, and the prompts that arrive from it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.calls: Queue[Call] = Queue()

    def call(self) -> Call:
        """Return the next prompt that arrives, already recorded for its reader."""
        call = self.calls.get(timeout=PATIENCE)
        call.tell("start", id=1)
        return call


@contextmanager
def running_panels() -> Iterator[Panels]:
    """Serve the page, with the scripts of the site, from this process."""
    app = Flask(__name__, static_folder=str(STATIC), static_url_path="/static")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    panels = Panels(f"http://127.0.0.1:{server.server_port}")
    app.add_url_rule("/", view_func=_page)
    app.add_url_rule(
        "/ask/<name>",
        view_func=lambda name: _answer(panels, name),
        endpoint="ask",
        methods=["POST"],
    )
    # A tokenizer to which a Chinese character is two tokens and any other is one.
    app.add_url_rule(
        "/size/<name>",
        view_func=lambda name: {"tokens": len(request.form["prompt"].encode("gbk"))},
        endpoint="size",
        methods=["POST"],
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield panels
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _page() -> str:
    """Return both panels; `?stream=off` shows replies all at once."""
    stream = escape(request.args.get("stream", "on"))
    shown = [PANEL.format(name=name, stream=stream) for name in ("Left", "Right")]
    return _PAGE.format(panels="".join(shown))


def _answer(panels: Panels, name: str) -> ResponseReturnValue:
    fields = request.form.to_dict()
    if "text/event-stream" not in request.accept_mimetypes.values():
        return f"<p>{name} was asked: {escape(fields['prompt'])}</p>"
    if fields["prompt"] == "refuse":
        return {"error": {"message": REFUSAL}}, 422
    if fields["prompt"] == "break":
        return "<h1>Something broke</h1>", 500
    if fields["prompt"] == "sign me out":
        return redirect("/", 303)
    call = Call(fields)
    panels.calls.put(call)
    return Response(call.stream(), mimetype="text/event-stream")
