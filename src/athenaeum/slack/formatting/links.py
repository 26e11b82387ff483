"""Which addresses may be opened from a message.

A link can carry out what the model has read, in its path or its query; so only addresses that a source brought
with it, or that an operator allows, stay links. The others are shown so that they can be read but not opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from athenaeum.domain.turn import Citation

_ADDRESS = re.compile(
    r"(?:(?<![a-z0-9+.-])(?!hxxps?:|fxp:)[a-z0-9+.-]+://|www\.|(?:javascript|vbscript|mailto|tel):(?=\S)"
    r"|data:(?=[\w/+.-]*[;,]))[^\s<>\"`]*",
    re.IGNORECASE,
)
_OPENABLE = re.compile(r"https?:|ftp:|www\.|javascript:|vbscript:|data:", re.IGNORECASE)
_DEAD = str.maketrans("tT", "xX")
_TRAILING = ".,;:!?'*_~"
_WEB = ("http", "https", "ftp", "")
_RESERVED = ("example.com", "example.org", "example.net", "example", "localhost", "test", "invalid")
"""Names of RFC 2606 and 6761 lead nowhere outside."""


@dataclass(frozen=True, slots=True)
class Address:
    """Something in a text that a reader or a program would take for an address."""

    start: int
    end: int
    url: str


@dataclass(frozen=True, slots=True)
class LinkPolicy:
    """`cited` are the sources' own addresses, `quoted` stand in their words, `hosts` are the operator's."""

    cited: frozenset[str]
    quoted: frozenset[str]
    hosts: frozenset[str]

    @classmethod
    def of(cls, citations: Iterable[Citation], hosts: Iterable[str] = ()) -> LinkPolicy:
        """The policy for an answer with these citations."""
        citations = tuple(citations)
        quoted = (found.url for citation in citations for found in addresses(citation.quote))
        return cls(
            cited=frozenset(_page(citation.url) for citation in citations if citation.url and is_web(citation.url)),
            quoted=frozenset(quoted),
            hosts=frozenset(host.lower() for host in hosts),
        )

    def allows(self, url: str) -> bool:
        """Whether the address may be a link."""
        if not is_web(url):
            return False
        return _page(url) in self.cited or _host(url) in self.hosts

    def shows(self, url: str) -> bool:
        """Whether the address may be written out, though not as a link."""
        if self.allows(url) or url in self.quoted or _leads_nowhere(url):
            return True
        return _scheme(url) not in _WEB and not _OPENABLE.search(url)

    def tame(self, text: str) -> str:
        """The text with every address that may not be shown written so that nothing opens it."""
        shown: list[str] = []
        end = 0
        for found in addresses(text):
            shown += [text[end : found.start], found.url if self.shows(found.url) else defanged(found.url)]
            end = found.end
        return "".join([*shown, text[end:]])


def addresses(text: str) -> Iterator[Address]:
    """Every address in a text, without the punctuation of the sentence around it."""
    for match in _ADDRESS.finditer(text):
        url = match.group().rstrip(_TRAILING)
        while url and url[-1] in ")]}" and url.count(url[-1]) > url.count("([{"[")]}".index(url[-1])]):
            url = url[:-1].rstrip(_TRAILING)
        if url:
            yield Address(match.start(), match.start() + len(url), url)


def defanged(url: str) -> str:
    """The address in the customary form that no program opens: `hxxps://host[.]name/path`."""
    scheme, colon, rest = url.partition(":")
    if not colon:
        return url.replace(".", "[.]")
    if scheme.lower() not in {"http", "https", "ftp"}:
        return f"{_closed(scheme)}[:]{_closed(rest)}"
    match = re.match(r"(/*)([^/?#]*)(.*)", rest, re.DOTALL)
    assert match is not None  # every part may be empty
    slashes, host, path = match.groups()
    return f"{scheme.translate(_DEAD)}:{slashes}{_closed(host.replace('.', '[.]'))}{_closed(path)}"


def _closed(text: str) -> str:
    """The text without an address that begins in the middle of it."""
    return _OPENABLE.sub(lambda found: found[0].replace(":", "[:]").replace(".", "[.]"), text)


def is_web(url: str) -> bool:
    """Whether a browser opens the address as a page; only plain hosts, without a user's name before them."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(host) and "@" not in parts.netloc and "\\" not in url


def _scheme(url: str) -> str:
    scheme, colon, _ = url.partition(":")
    if not colon or not scheme.isascii():
        return ""
    return "" if scheme.lower() in {"javascript", "vbscript", "data", "mailto", "tel"} else scheme.lower()


def _page(url: str) -> str:
    return url.partition("#")[0]


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()


def _leads_nowhere(url: str) -> bool:
    if not is_web(url):
        return False
    host = _host(url)
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host in _RESERVED or host.endswith(tuple(f".{name}" for name in _RESERVED))
