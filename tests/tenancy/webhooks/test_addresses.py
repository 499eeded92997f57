"""Which addresses are taken: the tricks by which a URL or a name leads inside."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.outbound.addresses import UnusableUrl, is_public, may_reach, parse_target

INSIDE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1",
    "240.0.0.1", "255.255.255.255",
    "::1", "::", "::127.0.0.1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0:7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1", "fe80::1",
    "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1",
]  # fmt: skip
OUTSIDE = ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001::200e", "::ffff:1.1.1.1"]


@pytest.mark.parametrize("text", INSIDE)
def test_is_public_knows_the_ways_inside(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", OUTSIDE)
def test_is_public_knows_the_outside(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example.org/", "not_https"),
        ("ftp://hooks.example.org/", "not_https"),
        ("https:hooks.example.org", "malformed"),
        ("//hooks.example.org/", "malformed"),
        ("https://ada:pw@hooks.example.org/", "has_credentials"),
        ("https://hooks.example.org@127.0.0.1/", "has_credentials"),
        ("https://127.0.0.1\\@hooks.example.org/", "malformed"),
        ("https://hooks.example.org\t.evil.example/", "malformed"),
        ("https://hooks.example.org/a\nHost: x", "malformed"),
        ("https://hooks.example.org/ä", "malformed"),
        ("https://hooks.example.org/#part", "has_fragment"),
        ("https://hooks.example.org:80/", "port_not_allowed"),
        ("https://hooks.example.org:22/", "port_not_allowed"),
        ("https://hooks.example.org:99999/", "port_not_allowed"),
        ("https://hooks.example.org:https/", "port_not_allowed"),
        ("https:///path", "bad_host"),
        ("https://./", "bad_host"),
        ("https://a..b/", "bad_host"),
        ("https://-a.example/", "bad_host"),
        ("https://hooks.example.org./", "bad_host"),
        ("https://0x7f000001/", "bad_host"),
        ("https://0x7f.0.0.0x1/", "bad_host"),
        ("https://2130706433/", "bad_host"),
        ("https://0177.0.0.1/", "bad_host"),
        ("https://127.1/", "bad_host"),
        ("https://0/", "bad_host"),
        ("https://[::1%25eth0]/", "bad_host"),
        ("https://[fe80::1%eth0]/", "bad_host"),
        ("https://[v1.x]/", "bad_host"),
        ("https://[::1/", "malformed"),
        (f"https://hooks.example.org/{'a' * 500}", "too_long"),
    ],
)
def test_parse_target_refuses_what_can_be_read_two_ways(url: str, code: str) -> None:
    with pytest.raises(UnusableUrl) as refusal:
        parse_target(url, allow_loopback=False)
    assert refusal.value.problems[0].code == code


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("https://hooks.example.org", "https://hooks.example.org/"),
        ("https://HOOKS.Example.ORG:443/a/b?c=d%20e", "https://hooks.example.org/a/b?c=d%20e"),
        ("https://hooks.example.org:8443/x", "https://hooks.example.org:8443/x"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://my_hooks.example.org/", "https://my_hooks.example.org/"),
        ("https://1.1.1.1/", "https://1.1.1.1/"),
        ("https://[2606:4700:0::1111]/", "https://[2606:4700::1111]/"),
        ("https://①②⑦.0.0.1/", "https://127.0.0.1/"),
        ("https://127。0。0。1/", "https://127.0.0.1/"),
    ],
)
def test_parse_target_reads_what_it_takes_in_one_way(url: str, read: str) -> None:
    assert parse_target(url, allow_loopback=False).url == read


@pytest.mark.parametrize("url", ["https://①②⑦.0.0.1/", "https://127.0.0.1/", "https://[::ffff:7f00:1]/"])
def test_a_literal_address_inside_is_not_reached(url: str) -> None:
    target = parse_target(url, allow_loopback=False)
    assert target.literal is not None
    assert not may_reach(target, target.literal, allow_loopback=False)


def test_the_switch_for_developers_opens_the_own_machine_and_nothing_else() -> None:
    plain = parse_target("http://hooks.example.org:9000/", allow_loopback=True)
    assert may_reach(plain, ip_address("127.0.0.1"), allow_loopback=True)
    assert may_reach(plain, ip_address("::1"), allow_loopback=True)
    assert not may_reach(plain, ip_address("169.254.169.254"), allow_loopback=True)
    assert not may_reach(plain, ip_address("10.0.0.1"), allow_loopback=True)
    assert not may_reach(plain, ip_address("1.1.1.1"), allow_loopback=True), "no plain http to the public network"


@given(st.text(max_size=60))
def test_parse_target_answers_any_text_with_a_target_or_a_refusal(text: str) -> None:
    for url in (text, f"https://{text}", f"https://{text}/", f"https://hooks.example.org{text}"):
        try:
            target = parse_target(url, allow_loopback=False)
        except UnusableUrl:
            continue
        assert target.url.isascii()
        assert parse_target(target.url, allow_loopback=False) == target
