"""Which addresses are one network."""

from __future__ import annotations

import pytest

from webapp.networks import network_of


@pytest.mark.parametrize(
    ("address", "whose"),
    [
        ("192.0.2.7", "192.0.2.7"),
        # As a socket for both kinds of address names its callers.
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("not an address" * 100, ("not an address" * 100)[:60]),
    ],
)
def test_an_ipv6_network_is_one_network_of(address: str, whose: str) -> None:
    assert network_of(address) == whose
