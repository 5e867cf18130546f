"""Where plug-ins register by name."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Generic, TypeVar

from webapp.errors import ContentError

T = TypeVar("T")


class Registry(Generic[T]):
    """Plug-ins by name. It is frozen after the start: no request can change it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, T] = {}
        self._frozen = False

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that files a plug-in under `name`."""

        def add(item: T) -> T:
            if self._frozen:
                raise ContentError(f'{self.kind} "{name}" was registered after start')
            known = self._items.get(name)
            if known is not None and _origin(known) != _origin(item):
                raise ContentError(f'two {self.kind} plug-ins are named "{name}"')
            self._items[name] = item
            return item

        return add

    def get(self, name: str) -> T:
        """Return a plug-in; raise ContentError with a suggestion if there is none."""
        if name in self._items:
            return self._items[name]
        close = self.suggest(name)
        hint = f'; did you mean "{close}"?' if close else ""
        raise ContentError(f'unknown {self.kind} "{name}"{hint}')

    def suggest(self, name: str) -> str | None:
        """Return the registered name nearest to a mistyped one."""
        return next(iter(difflib.get_close_matches(name, self._items, n=1)), None)

    def names(self) -> tuple[str, ...]:
        """Return all names in alphabetical order."""
        return tuple(sorted(self._items))

    def items(self) -> Iterator[tuple[str, T]]:
        """Yield (name, plug-in) in alphabetical order."""
        yield from sorted(self._items.items())

    def freeze(self) -> None:
        """Refuse further registrations."""
        self._frozen = True


def _origin(item: object) -> tuple[str, str]:
    return getattr(item, "__module__", ""), getattr(item, "__qualname__", repr(item))


def load_plugins(package: ModuleType) -> None:
    """Import every module of a package, which makes its plug-ins register."""
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
