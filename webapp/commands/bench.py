"""`./wordkeep bench`."""

from __future__ import annotations

from collections.abc import Callable

import click

from webapp.errors import InvalidInput

Main = Callable[[list[str]], int]
# The front door hands these to the other program, which has torch.
MODEL_BENCHES = ("guards", "publishers", "resume", "serving", "sharing", "train")


# Each is imported when it is called: one must not wait for what the other needs.
def _backup() -> Main:
    from webapp.bench import backups  # noqa: PLC0415 -- slow import

    return backups.main


def _kill() -> Main:
    from webapp.bench import kill  # noqa: PLC0415 -- slow import

    return kill.main


def _class() -> Main:
    from webapp.bench import training  # noqa: PLC0415 -- slow import

    return training.main


def _lessons() -> Main:
    from webapp.bench import generating  # noqa: PLC0415 -- slow import

    return generating.main


def _play() -> Main:
    from webapp.bench import play  # noqa: PLC0415 -- slow import

    return play.main


def _playground() -> Main:
    from webapp.bench import playground  # noqa: PLC0415 -- slow import

    return playground.main


def _pages() -> Main:
    from webapp.bench import lessons  # noqa: PLC0415 -- slow import

    return lessons.main


BENCHES: dict[str, Callable[[], Main]] = {
    "backup": _backup,
    "class": _class,
    "kill": _kill,
    "lessons": _lessons,
    "pages": _pages,
    "play": _play,
    "playground": _playground,
}


@click.command(
    "bench",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("name")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(name: str, arguments: tuple[str, ...]) -> None:
    """Measure this program on this computer.

    backup      back up while players play and the site is killed: what is lost

    class       thirty students who start a training at once: whose turn it is

    guards      our gate beside other detectors of attacks

    kill        kill the site and its models while players play: what is lost

    lessons     a class that presses Generate at once: outcomes, places, waiting

    pages       whether pages take longer where there are more lessons, or attempts

    play        what a class feels: speed, waiting, fairness

    playground  a class in the playground beside a class at the gates: waiting, fairness

    publishers  who finds attacks of publishers that our gate did not learn

    resume      kill the training worker at random steps, and compare the losses

    serving     a model in 32, 16, 8 and 4 bits: size, speed, what is forgotten

    sharing     what is saved by reading once what all share

    train       our training beside that of transformers

    `./wordkeep bench NAME --help` says more.
    """
    if name in {"-h", "--help"}:
        click.echo(click.get_current_context().get_help())
        return
    if name in MODEL_BENCHES:
        raise InvalidInput(f"Run it through the front door: ./wordkeep bench {name}.")
    if name not in BENCHES:
        *most, last = sorted((*BENCHES, *MODEL_BENCHES))
        raise InvalidInput(
            f'There is no bench "{name}"; there are {", ".join(most)} and {last}.'
        )
    main = BENCHES[name]()
    raise SystemExit(main(list(arguments)))
