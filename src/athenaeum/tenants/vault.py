"""Secrets as they are stored: encrypted by a key that only the configuration has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from athenaeum.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from athenaeum.domain.identity import TenantId


class Vault:
    """Encrypts with the first of its keys, and decrypts with any: an old one may stay while it is still in use.

    What is encrypted for one tenant cannot be read as another's.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """Each key is 32 bytes in base64; `Config.validate` has looked at them."""
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def lock(self, tenant: TenantId, secret: str) -> bytes:
        """The secret, encrypted."""
        return self._fernet.encrypt(f"{tenant}:{secret}".encode())

    def unlock(self, tenant: TenantId, locked: bytes) -> str:
        """The secret again.

        Raises:
            Misconfigured: it was encrypted with a key that is not here, or for another tenant.
        """
        try:
            owner, _, secret = self._fernet.decrypt(locked).decode().partition(":")
        except InvalidToken:
            owner, secret = "", ""
        if owner != str(tenant):
            raise Misconfigured(
                f"the token of tenant {tenant} cannot be decrypted: put the key that it was stored with into"
                " ATHENAEUM_SECRET_KEY, behind a comma, or install the app in its workspace again"
            )
        return secret
