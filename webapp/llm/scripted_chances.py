"""A model that always expects the same six words: what tests and trials look at."""

from __future__ import annotations

import hashlib
import math
import random
import re
from collections.abc import Iterable, Sequence

from webapp.errors import BackendRefused
from webapp.llm.chances import (
    Alternative,
    Drawn,
    Likely,
    NextTokens,
    Rendered,
    Rest,
    Scored,
    ScoredToken,
    Token,
)
from webapp.llm.events import ChatRequest, NextRequest

# As large as that of the sidecar's models, so that pages look the same.
CONTEXT = 2048
PIECES = re.compile(r"\S+\s*|\s+")
# The last is the end of the reply. Each word is half as likely as the one before.
EXPECTED = (" time", " day", " night", " year", " moment", "<end>")
_END = EXPECTED[-1]
_TEMPLATE = "<{role}>"
# Others are unlikely enough to be named by their number only.
_OTHERS = 94


def _chances(scores: Sequence[float]) -> list[float]:
    total = sum(scores)
    return [score / total for score in scores]


_RAW = (*(2.0**-n for n in range(1, 7)), 2.0**-6)


class ScriptedChances:
    """Numbers of words, and what is expected after any of them."""

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}
        self.cut(EXPECTED)

    def cut(self, texts: Iterable[str]) -> tuple[int, ...]:
        """Return the ids of words; the same word has the same one everywhere."""
        ids = []
        for text in texts:
            digest = hashlib.blake2b(text.encode(), digest_size=3).digest()
            ids.append(int.from_bytes(digest, "big"))
            self._texts[ids[-1]] = text
        return tuple(ids)

    def token(self, number: int) -> Token:
        """Return a token by its id; raise BackendRefused for one never seen."""
        if number not in self._texts:
            raise BackendRefused("The scripted model does not know this token.")
        text = self._texts[number]
        is_special = text == _END or (text[0] == "<" and text[-1] == ">")
        data = b"" if is_special else text.encode()
        return Token(id=number, text=text, data=data, is_special=is_special)

    def text(self, ids: Iterable[int]) -> str:
        """Return what tokens say together; raise BackendRefused for unknown ones."""
        return "".join(self.token(number).text for number in ids)

    def ids(self, request: ChatRequest) -> tuple[int, ...]:
        """Return the prompt of a request."""
        if request.ids is not None:
            for number in request.ids:
                self.token(number)
            return request.ids
        if request.text is not None:
            return self.cut(PIECES.findall(request.text))
        return self.rendered(request).ids

    def rendered(self, request: ChatRequest) -> Rendered:
        """Return a chat with the role before each message."""
        texts: list[str] = []
        for message in request.messages:
            texts += [_TEMPLATE.format(role=message["role"])]
            texts += PIECES.findall(message["content"])
        texts += [_TEMPLATE.format(role="assistant")]
        texts += PIECES.findall(request.start_reply)
        ids = self.cut(texts)
        pieces = tuple(self.token(number) for number in ids)
        return Rendered(text="".join(texts), ids=ids, pieces=pieces, context=CONTEXT)

    def next_tokens(self, request: NextRequest) -> NextTokens:
        """Draw with the seed, and expect the same as ever."""
        chat = request.chat
        ids = self.ids(chat)
        seed = 0 if chat.sampling.seed is None else chat.sampling.seed
        likely, rest = self._likely(chat)
        dice = random.Random(seed)  # noqa: S311 -- it guards nothing
        drawn: list[Drawn] = []
        for _ in range(request.draw):
            weights = [one.shaped for one in likely]
            rank = dice.choices(range(len(likely)), weights)[0]
            one = likely[rank].model_dump()
            drawn.append(Drawn(**one, rank=rank + 1, top=tuple(likely)))
            if drawn[-1].is_special:
                break
        if drawn and drawn[-1].is_special:
            return NextTokens(
                prompt_ids=ids, seed=seed, drawn=tuple(drawn), finish_reason="stop"
            )
        hidden = likely[request.listed :]
        return NextTokens(
            prompt_ids=ids,
            seed=seed,
            drawn=tuple(drawn),
            tokens=tuple(likely[: request.listed]),
            rest=Rest(
                count=rest.count + len(hidden),
                p=rest.p + sum(one.p for one in hidden),
                shaped=rest.shaped + sum(one.shaped for one in hidden),
            ),
            entropy=-sum(p * math.log2(p) for p in _chances(_RAW)),
        )

    def scored(self, prompt: str | tuple[int, ...]) -> Scored:
        """Return a text of which each word had the chance of one half."""
        ids = self.cut(PIECES.findall(prompt)) if isinstance(prompt, str) else prompt
        words = [self.token(number) for number in ids]
        if len(words) < 2:
            raise BackendRefused("This text is a single token. Write some more.")
        top = tuple(
            Alternative(**self.token(number).model_dump(), logprob=math.log(p))
            for number, p in zip(self.cut(EXPECTED[:5]), _chances(_RAW), strict=False)
        )
        tokens = [ScoredToken(**words[0].model_dump())]
        tokens += [
            ScoredToken(**word.model_dump(), logprob=math.log(0.5), rank=1, top=top)
            for word in words[1:]
        ]
        bits = float(len(words) - 1)
        size = sum(len(word.data) for word in words[1:])
        return Scored(
            tokens=tuple(tokens),
            bits=bits,
            bits_per_byte=bits / size,
            perplexity=2.0,
        )

    def _likely(self, chat: ChatRequest) -> tuple[list[Likely], Rest]:
        """Return the expected words, and all others as one that is never drawn."""
        raw = _chances(_RAW)
        shaped = _shaped(raw[:-1], chat)
        likely = [
            Likely(
                **self.token(number).model_dump(),
                p=p,
                shaped=chance,
                is_kept=chance > 0,
            )
            for number, p, chance in zip(
                self.cut(EXPECTED), raw[:-1], shaped, strict=True
            )
        ]
        return likely, Rest(count=_OTHERS, p=raw[-1], shaped=0.0)


def _shaped(raw: Sequence[float], chat: ChatRequest) -> list[float]:
    """Return chances after temperature and cut-offs, from the likeliest on."""
    sampling = chat.sampling
    if sampling.temperature == 0:
        return [1.0, *(0.0 for _ in raw[1:])]
    kept = raw[: sampling.top_k or None]
    chances = _chances([p ** (1 / sampling.temperature) for p in kept])
    if sampling.top_p < 1:
        size = next(
            n
            for n in range(1, len(chances) + 1)
            if sum(chances[:n]) >= sampling.top_p or n == len(chances)
        )
        chances = _chances(chances[:size])
    return [*chances, *(0.0 for _ in raw[len(chances) :])]
