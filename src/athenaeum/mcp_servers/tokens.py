"""Bearer tokens: JSON Web Tokens (RFC 7519) for one person and one server, in the profile of RFC 9068."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from athenaeum.mcp_servers.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Sequence

_ALGORITHM = "HS256"
_PURPOSE = b"athenaeum: bearer tokens of MCP servers"  # the same secret also encrypts: no key does both
_CLAIMS = ("iss", "aud", "sub", "jti", "iat", "exp")
_DRIFT = timedelta(seconds=30)  # between the clocks of who issues and who reads


@dataclass(frozen=True, slots=True)
class Bearer:
    """What a token says: whose it is, until when, and its id, by which it can be taken back."""

    reader: Reader
    id: UUID
    expires_at: datetime


class Tokens:
    """Signs with the first of its keys, and knows what any of them has signed."""

    def __init__(self, secrets: Sequence[str], *, issuer: str) -> None:
        """Each of `secrets` is 32 bytes in base64, as `Config.validate` has seen."""
        self._keys = [_derived(secret) for secret in secrets]
        self.issuer = issuer

    def issue(self, reader: Reader, *, audience: str, lifetime: timedelta) -> tuple[str, Bearer]:
        """A token for one server, whose address is the `audience`, and what it says."""
        now = datetime.now(UTC).replace(microsecond=0)
        bearer = Bearer(reader, uuid4(), now + lifetime)
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": audience,
            "sub": reader.subject,
            "jti": str(bearer.id),
            "iat": now,
            "exp": bearer.expires_at,
        }
        return jwt.encode(claims, self._keys[0], algorithm=_ALGORITHM, headers={"typ": "at+jwt"}), bearer

    def read(self, token: str, *, audience: str) -> Bearer | None:
        """What a token for this server says; None when it is forged, over, of another issuer or for another server."""
        for key in self._keys:
            try:
                claims = jwt.decode(
                    token,
                    key,
                    algorithms=[_ALGORITHM],
                    issuer=self.issuer,
                    audience=audience,
                    leeway=_DRIFT,
                    options={"require": list(_CLAIMS), "strict_aud": True},
                )
            except jwt.InvalidSignatureError:
                continue
            except jwt.InvalidTokenError:
                return None
            return _bearer(claims)
        return None


def _bearer(claims: dict[str, Any]) -> Bearer | None:
    reader = Reader.named(claims["sub"])
    try:
        return reader and Bearer(reader, UUID(claims["jti"]), datetime.fromtimestamp(claims["exp"], UTC))
    except ValueError:
        return None


def _derived(secret: str) -> bytes:
    key = base64.urlsafe_b64decode(secret)
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key)
