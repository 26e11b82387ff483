from __future__ import annotations

import pytest

from athenaeum.domain.address import is_inside, is_public

INSIDE = ["127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd12::1", "::ffff:10.0.0.1"]
NOBODYS = [
    *("169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254", "fe80::1", "fe80::1%eth0"),
    *("0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "192.0.2.1", "2001:db8::1"),
    *("::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"),
]


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)
    assert not is_inside(address)


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_of_this_machine_or_a_private_network_is_inside(address: str) -> None:
    assert is_inside(address)
    assert not is_public(address)


@pytest.mark.parametrize("address", NOBODYS)
def test_an_address_of_a_link_a_group_or_a_cloud_is_neither(address: str) -> None:
    assert not is_public(address)
    assert not is_inside(address)


@pytest.mark.parametrize("address", ["2002:7f00:1::1", "2001:0:808:808::80ff:fffe"])
def test_what_an_address_is_carried_in_does_not_hide_it(address: str) -> None:
    assert not is_public(address)
