"""Data to train on: what is here, and what a program brings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, StrictStr

from webapp.api.operations import Api
from webapp.api.records import Answer, Given, example
from webapp.domain.people.accounts import PlayerInfo
from webapp.domain.train import data, origins
from webapp.web import seats
from webapp.web.context import services
from webapp.web.uploads import takes_files

api = Api("train_data")

TRAINER = (502, 504)
Template = Annotated[StrictStr, Field(max_length=data.TEMPLATE_CHARS)]


class ShippedSet(Answer):
    """A set of data that comes with the site; `text` and `answer` are its templates."""

    id: str
    title: str
    about: str
    licence: str
    columns: tuple[str, ...]
    text: str
    answer: str | None
    is_chat: bool
    rows: int


class NewData(Given):
    """A text to learn from, as a file would hold it."""

    model_config = example(
        name="soups.csv",
        content="title,steps\nLeek soup,Chop the leeks.\n",
        source="made up by us",
        terms="CC BY 4.0",
    )

    name: StrictStr = Field(
        "data.txt",
        min_length=1,
        max_length=200,
        description="Its ending says what it is: txt, csv, json or jsonl.",
    )
    content: StrictStr = Field(min_length=1)
    source: StrictStr = Field(
        "",
        max_length=origins.SOURCE_CHARS,
        description="Where the text is from; the card of each model tells it.",
    )
    terms: StrictStr = Field(
        "",
        max_length=origins.TERMS_CHARS,
        description="Under what terms it may be used.",
    )


class TakenSet(Given):
    """Which shipped set you want to learn from."""

    model_config = example(id="shipped-recipes")

    id: StrictStr = Field(max_length=100)


class HubSet(Given):
    """A data set of the Hugging Face hub, and how much of it."""

    model_config = example(name="roneneldan/TinyStories", rows=1000)

    name: StrictStr = Field(max_length=200, description="Written owner/name.")
    subset: StrictStr = Field("", max_length=200, description="Empty: the usual one.")
    split: StrictStr = Field("", max_length=200, description="Empty: train.")
    rows: StrictInt = Field(data.HUB_ROWS, ge=1, le=data.MOST_HUB_ROWS)


class DataItem(Answer):
    """Data of yours. `rows` is null until it has been read."""

    model_config = example(
        id=1, name="Recipes", rows=600, source="made up by us", terms="CC BY 4.0"
    )

    id: int
    name: str
    rows: int | None
    source: str
    terms: str


class Reading(Given):
    """How each row is written for the model. `{column}` stands for its value."""

    model_config = example(text="{title}\n{steps}")

    text: Template = Field("", description="Empty: what suits the columns.")
    answer: Template = Field(
        "", description="What follows the text and alone is learned."
    )
    is_chat: StrictBool = Field(False, description="As the turns of a chat.")
    system: Template = Field("", description="System message of each chat.")
    format: Literal["auto", "txt", "csv", "json", "jsonl"] = "auto"
    documents: Literal["lines", "paragraphs", "whole"] = Field(
        "lines", description="What a row of a plain text is."
    )
    most_rows: StrictInt | None = Field(None, ge=1, le=10_000_000)


class WrittenRow(Answer):
    """A row as the model reads it."""

    text: str
    answer: str | None


class DataReport(Answer):
    """What is in data, and what there is to say of it.

    `train`, `validation` and `test` are the rows of its three parts.
    """

    id: int
    name: str
    columns: tuple[str, ...]
    rows: int
    text: str
    answer: str | None
    train: int
    validation: int
    test: int
    tokens_per_epoch: int
    remarks: tuple[str, ...]
    examples: tuple[WrittenRow, ...]


@api.get("/train/sets", problems=TRAINER)
def list_sets(player: PlayerInfo) -> tuple[ShippedSet, ...]:
    """List the sets of data that come with the site."""
    return tuple(ShippedSet.model_validate(one) for one in data.shipped(services()))


@api.get("/train/data")
def list_data(player: PlayerInfo) -> tuple[DataItem, ...]:
    """List your data, newest first."""
    return tuple(_item(one) for one in data.mine(services(), player_id=player.id))


@api.post("/train/sets", problems=(404, 409, *TRAINER))
def take_set(player: PlayerInfo, body: TakenSet) -> DataItem:
    """Take a set of the site as data of yours; each set once."""
    return _found(player, data.choose(services(), player_id=player.id, file_id=body.id))


@api.post("/train/data", problems=(409, 429, *TRAINER))
@takes_files
def bring_data(player: PlayerInfo, body: NewData) -> DataItem:
    """Bring a text of your own."""
    with seats.seat():
        data_id = data.bring(
            services(),
            player_id=player.id,
            name=body.name,
            content=body.content.encode(),
            origin=origins.read({"source": body.source, "terms": body.terms}),
        )
    return _found(player, data_id)


@api.post("/train/hub-data", problems=(409, 429, *TRAINER))
def fetch_data(player: PlayerInfo, body: HubSet) -> DataItem:
    """Bring the first rows of a data set of the Hugging Face hub.

    It needs a site that is online.
    """
    with seats.seat():
        data_id = data.fetch(services(), player_id=player.id, wanted=body.model_dump())
    return _found(player, data_id)


@api.post("/train/data/<int:data_id>/report", problems=(404, 429, *TRAINER))
def read_data(player: PlayerInfo, data_id: int, body: Reading) -> DataReport:
    """Say how data is read, and see what is in it. Runs read it the same way."""
    with seats.seat():
        found = data.look(
            services(),
            player_id=player.id,
            data_id=data_id,
            model=data.COUNTED_BY,
            settings={k: v for k, v in body.model_dump().items() if v is not None},
            seed=0,
        )
    report = data.require_report(found)
    figures = report.report
    return DataReport(
        id=found.id,
        name=found.name,
        columns=report.columns,
        rows=report.rows,
        text=report.text,
        answer=report.answer,
        train=figures.train,
        validation=figures.validation,
        test=figures.test,
        tokens_per_epoch=figures.tokens_per_epoch,
        remarks=tuple(verdict.text for verdict in figures.verdicts),
        examples=tuple(WrittenRow.model_validate(row) for row in report.rendered),
    )


def _found(player: PlayerInfo, data_id: int) -> DataItem:
    return _item(data.find(services(), player_id=player.id, data_id=data_id))


def _item(found: data.DataView) -> DataItem:
    rows = found.report.rows if found.report else None
    return DataItem(
        id=found.id,
        name=found.name,
        rows=rows,
        source=found.origin.source,
        terms=found.origin.terms,
    )
