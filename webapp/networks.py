"""Whom an address belongs to, as far as limits can tell."""

from __future__ import annotations

import ipaddress

# Providers give each customer at least this many bits to choose from.
_OWN_BITS = 64
# Longer than any address with its zone; what is longer is not kept as it came.
_LONGEST = 60


def network_of(address: str) -> str:
    """Return what all addresses of one connection to the network have in common.

    An IPv4 address stands for itself; of IPv6 a single computer has a whole /64.
    """
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:_LONGEST]
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((known, _OWN_BITS), strict=False))
