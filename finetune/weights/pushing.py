"""A finished model sent to the Hugging Face hub, with somebody's own token.

The token serves this one call: it is kept nowhere, and no message or log has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from finetune.weights.hub import HubAway, HubError, endpoint, is_hub_name, is_offline

_UNKNOWN, _FORBIDDEN = 401, 403
_MESSAGE: Final = "A model trained with Wordkeep"


@dataclass(frozen=True, slots=True)
class Target:
    """A repository of the hub, and the token of somebody who may write to it."""

    repository: str
    token: str = field(repr=False)
    is_private: bool = True


def push(files: Mapping[str, Path | bytes], target: Target) -> str:
    """Send files as one commit, to a repository that is made if there is none.

    Returns its address. Raises HubError, whose message is one sentence, and OSError.
    """
    if not is_hub_name(target.repository):
        raise HubError(
            f"{target.repository[:60]!r} is not the name of a repository: on the"
            " Hugging Face hub names are written owner/name."
        )
    if is_offline():
        raise HubAway(
            "This computer is set to stay offline (HF_HUB_OFFLINE), so nothing can be"
            " sent to the Hugging Face hub."
        )
    from huggingface_hub import CommitOperationAdd, HfApi  # noqa: PLC0415 -- slow import

    api = HfApi(endpoint=endpoint(), token=target.token)
    added = [
        CommitOperationAdd(path_in_repo=name, path_or_fileobj=content)
        for name, content in files.items()
    ]
    with _said(target.repository):
        api.create_repo(target.repository, private=target.is_private, exist_ok=True)
        api.create_commit(target.repository, added, commit_message=_MESSAGE)
    return f"{endpoint()}/{target.repository}"


@contextmanager
def _said(repository: str) -> Iterator[None]:
    """Say what goes wrong without what was sent: requests hold the token."""
    from httpx2 import HTTPError  # noqa: PLC0415 -- slow import
    from huggingface_hub import errors  # noqa: PLC0415 -- slow import
    from huggingface_hub.utils.tqdm import (  # noqa: PLC0415 -- slow import
        disable_progress_bars,
    )

    disable_progress_bars()
    try:
        yield
    except errors.HfHubHTTPError as error:
        raise HubError(_refusal(error.response.status_code, repository)) from None
    except errors.HFValidationError:
        raise HubError(
            f"The Hugging Face hub does not take the name {repository!r}: use letters,"
            " digits, - and _ after your own name and a slash."
        ) from None
    except HTTPError:
        raise HubAway(
            "The Hugging Face hub does not answer, so the model may not be there:"
            " connect this computer to the internet, and send it again."
        ) from None


def _refusal(status: int, repository: str) -> str:
    if status == _UNKNOWN:
        return (
            "The Hugging Face hub does not know this token: make one that may write,"
            " under Settings, Access Tokens of your account there."
        )
    if status == _FORBIDDEN:
        return (
            f"This token may not write to {repository}: the part before the slash must"
            " be your own name there, and the token must be one that may write."
        )
    return (
        f"The Hugging Face hub does not take the model (status {status}): try again"
        " later, or another name."
    )
