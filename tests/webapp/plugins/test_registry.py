"""Plug-ins register once and are found with a suggestion."""

import sys

import pytest

from webapp.errors import ContentError
from webapp.plugins.registry import Registry, load_plugins

pytestmark = pytest.mark.unit


def test_a_mistyped_name_gets_a_suggestion():
    registry: Registry[object] = Registry("guard")
    registry.register("contains")(object())
    with pytest.raises(ContentError) as caught:
        registry.get("contians")
    assert caught.value.message == (
        'unknown guard "contians"; did you mean "contains"?'
    )
    with pytest.raises(ContentError) as caught:
        registry.get("zzz")
    assert caught.value.message == 'unknown guard "zzz"'


def test_two_plugins_cannot_share_a_name_and_none_comes_late():
    registry: Registry[type] = Registry("guard")
    registry.register("one")(int)
    registry.register("one")(int)
    with pytest.raises(ContentError, match="two guard plug-ins"):
        registry.register("one")(str)
    registry.freeze()
    with pytest.raises(ContentError, match="after start"):
        registry.register("two")(str)


def test_a_package_is_loaded_whole(tmp_path, monkeypatch):
    package = tmp_path / "plugs_for_test"
    package.mkdir()
    (package / "__init__.py").write_text("seen = []\n")
    (package / "alpha.py").write_text(
        "import plugs_for_test as p\np.seen.append('alpha')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    module = __import__("plugs_for_test")
    load_plugins(module)
    assert module.seen == ["alpha"]
    for name in ("plugs_for_test", "plugs_for_test.alpha"):
        sys.modules.pop(name)
