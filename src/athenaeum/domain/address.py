"""Whose an IP address is: everybody's, a private network's, or nobody's to speak to."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network

_INSIDE: tuple[_Network, ...] = tuple(
    ip_network(network)
    for network in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
        *("::1/128", "fc00::/7"),
    )
)
# Where clouds hand out their credentials, outside of the link-local range.
_METADATA = frozenset(
    ip_address(address) for address in ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")
)
_NAT64 = ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether it is on the internet: not of this machine, a private network, a link, a group, or a cloud's own."""
    meant = _meant(ip_address(address))
    return meant.is_global and not meant.is_multicast and meant not in _METADATA


def is_inside(address: str) -> bool:
    """Whether it is of this machine or a private network; link-local addresses are not, nor a cloud's own."""
    meant = _meant(ip_address(address))
    return _within(meant, _INSIDE) and meant not in _METADATA


def _within(address: _Address, networks: Iterable[_Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _meant(address: _Address) -> _Address:
    """The address that is reached in the end: IPv6 carries IPv4 in several ways (RFC 4291, 3056, 4380, 6052)."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)
