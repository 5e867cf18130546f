"""Sizes of one model side by side, and ten lines of Python that ask it."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from webapp.domain.lab import matrix_models, serving
from webapp.domain.lab.matrix_asking import Heard, Wish
from webapp.errors import InvalidInput, LabError, NotFound
from webapp.llm.endpoints import LOCAL
from webapp.web import seats
from webapp.web.context import player_id, services
from webapp.web.guests import needs_player

bp = Blueprint("lab_serving", __name__, url_prefix="/lab/serving")

PROMPT: Final = "Why is the sky blue?"
TOKENS: Final = 60
SEED: Final = 1
TEMPERATURES: Final = ("0", "0.7", "1.2")
CODE: Final = """\
import json, urllib.request

def gen(prompt, temperature={temperature}, seed={seed}):
    body = {{"model": "{model}", "messages": [{{"role": "user", "content": prompt}}],
            "temperature": temperature, "seed": seed, "max_tokens": {tokens}}}
    call = urllib.request.Request("{url}", json.dumps(body).encode(),
        {{"Authorization": "Bearer YOUR_TOKEN", "Content-Type": "application/json"}})
    with urllib.request.urlopen(call) as answer:
        return json.load(answer)["reply"]

print(gen({prompt!r}))
"""


@bp.get("")
def sizes() -> ResponseReturnValue:
    """Show what was measured, and the code."""
    return _page(PROMPT, "0.7")


@bp.post("")
@needs_player
def run() -> ResponseReturnValue:
    """Run the ten lines here, with the same settings; show what they print."""
    prompt = request.form.get("prompt", "").replace("\r\n", "\n")
    temperature = request.form.get("temperature", "")
    try:
        if temperature not in TEMPERATURES:
            raise InvalidInput("Choose a temperature of the list.")
        wish = Wish(prompt, float(temperature), TOKENS, SEED)
        with seats.seat():
            heard = serving.gen(
                services(),
                player_id=player_id(),
                model=matrix_models.usual(services()),
                wish=wish,
            )
    except (InvalidInput, NotFound) as error:
        return _page(prompt, "0.7", problem=error), error.status
    return _page(prompt, temperature, heard=heard)


def _page(
    prompt: str,
    temperature: str,
    *,
    heard: Heard | None = None,
    problem: LabError | None = None,
) -> str:
    code = CODE.format(
        temperature=temperature,
        seed=SEED,
        model=matrix_models.usual(services()).removeprefix(f"{LOCAL}/"),
        tokens=TOKENS,
        url=f"{request.url_root}api/v1/lab/chat",
        prompt=prompt,
    )
    return render_template(
        "lab/serving.html",
        figures=serving.figures(services()),
        code=code,
        prompt=prompt,
        temperature=temperature,
        temperatures=TEMPERATURES,
        prompt_chars=serving.PROMPT_CHARS,
        heard=heard,
        problem=problem.message if problem else "",
    )
