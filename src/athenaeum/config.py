"""Configuration: the only module that reads the environment."""

from __future__ import annotations

import base64
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

import structlog
from pydantic import AnyHttpUrl, Field, SecretStr, TypeAdapter, ValidationError
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, SettingsConfigDict

from athenaeum.domain.price import Price, read_prices
from athenaeum.errors import Misconfigured

log = structlog.get_logger(__name__)


_REDIS = ("redis://", "rediss://", "unix://")
_BROKERS = ("redis://", "rediss://", "sentinel://", "amqp://", "amqps://", "pyamqp://")


class EngineName(StrEnum):
    """Who hands events to workers; what becomes of them is PostgreSQL's to say with either."""

    POSTGRES = "postgres"
    CELERY = "celery"


class Config(BaseSettings):
    """Settings from arguments, the environment and `.env`, in that order.

    Never raises by itself: a value that cannot be read is replaced by its default and remembered,
    so that `validate` can name every fault at once.
    """

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    database_url: SecretStr | None = Field(None, validation_alias="DATABASE_URL")
    home: Path = Field(Path("~/.athenaeum"), validation_alias="ATHENAEUM_HOME")
    host: str = Field("127.0.0.1", validation_alias="ATHENAEUM_HOST")
    port: int = Field(8001, ge=0, le=65535, validation_alias="ATHENAEUM_PORT")
    mcp_url: str | None = Field(None, validation_alias="ATHENAEUM_MCP_URL")

    slack_app_token: SecretStr | None = Field(None, validation_alias="SLACK_APP_TOKEN")
    slack_bot_token: SecretStr | None = Field(None, validation_alias="SLACK_BOT_TOKEN")
    slack_signing_secret: SecretStr | None = Field(None, validation_alias="SLACK_SIGNING_SECRET")
    slack_client_id: str | None = Field(None, validation_alias="SLACK_CLIENT_ID")
    slack_client_secret: SecretStr | None = Field(None, validation_alias="SLACK_CLIENT_SECRET")
    secret_key: SecretStr | None = Field(None, validation_alias="ATHENAEUM_SECRET_KEY")
    slack_api_url: str = Field("https://slack.com/api/", validation_alias="SLACK_API_URL")

    model: str | None = Field(None, validation_alias="ATHENAEUM_MODEL")
    model_prices: str | None = Field(None, validation_alias="ATHENAEUM_MODEL_PRICES")
    embedder: str | None = Field(None, validation_alias="ATHENAEUM_EMBEDDER")
    anthropic_api_key: SecretStr | None = Field(None, validation_alias="ANTHROPIC_API_KEY")
    anthropic_base_url: str | None = Field(None, validation_alias="ANTHROPIC_BASE_URL")
    openai_api_key: SecretStr | None = Field(None, validation_alias="OPENAI_API_KEY")
    openai_base_url: str | None = Field(None, validation_alias="OPENAI_BASE_URL")

    mcp_config: Path | None = Field(None, validation_alias="ATHENAEUM_MCP_CONFIG")

    worker_pool_size: int = Field(5, ge=1, le=1000, validation_alias="WORKER_POOL_SIZE")
    event_visibility_timeout: int = Field(60, ge=1, validation_alias="EVENT_VISIBILITY_TIMEOUT")
    max_retry_count: int = Field(3, ge=0, le=20, validation_alias="MAX_RETRY_COUNT")
    rate_limit: int = Field(30, ge=0, le=60_000, validation_alias="RATE_LIMIT_PER_MINUTE")
    user_rate_limit: int = Field(0, ge=0, le=60_000, validation_alias="USER_RATE_LIMIT_PER_MINUTE")
    redis_url: SecretStr | None = Field(None, validation_alias="REDIS_URL")
    engine: EngineName = Field(EngineName.POSTGRES, validation_alias="ATHENAEUM_ENGINE")
    celery_broker_url: SecretStr | None = Field(None, validation_alias="CELERY_BROKER_URL")

    def __init__(self, **values: Any) -> None:
        """Read the settings; `values` are given by field name and win over the environment."""
        # Fields are named to pydantic by their variables: by field name `home` would also read $HOME.
        given = {self._variable(name): value for name, value in values.items()}
        faults: list[str] = []
        if not _is_text(Path(".env")):
            given["_env_file"] = None
            faults.append(".env: it is not UTF-8 text: mend or remove it")
        try:
            super().__init__(**given)
        except ValidationError as error:
            unread = {str(fault["loc"][0]): str(fault["msg"]) for fault in error.errors()}
            faults += [f"{variable}: {why}" for variable, why in unread.items()]
            fields = {str(field.validation_alias): field for field in type(self).model_fields.values()}
            super().__init__(**{**given, **{variable: fields[variable].default for variable in unread}})
        object.__setattr__(self, "_faults", tuple(faults))

    @classmethod
    def _variable(cls, name: str) -> str:
        return str(cls.model_fields[name].validation_alias)

    def validate(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - the name is promised to users
        """Raise Misconfigured naming every fault, one a line; return silently when there is none."""
        faults = [*getattr(self, "_faults", ()), *self._inconsistencies()]
        if faults:
            raise Misconfigured("\n".join(faults))

    def _inconsistencies(self) -> list[str]:
        faults: list[str] = []
        url = self.database_url.get_secret_value() if self.database_url else None
        if url is not None and not url.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
            faults.append("DATABASE_URL: give a postgresql:// address, or unset it to use the embedded server")
        if self.slack_bot_token and not self.slack_bot_token.get_secret_value().startswith("xoxb-"):
            faults.append("SLACK_BOT_TOKEN: a bot token starts with xoxb- (Slack app, OAuth & Permissions)")
        if self.slack_app_token and not self.slack_app_token.get_secret_value().startswith("xapp-"):
            faults.append("SLACK_APP_TOKEN: an app-level token starts with xapp- (Slack app, Basic Information)")
        for name in ("slack_api_url", "anthropic_base_url", "openai_base_url", "mcp_url"):
            address = getattr(self, name)
            if address is not None and not _is_http(address):
                faults.append(f"{self._variable(name)}: give an http:// or https:// address")
        try:
            read_prices(self.model_prices or "")
        except ValueError as error:
            faults.append(f"ATHENAEUM_MODEL_PRICES: {error}: give MODEL=INPUT/OUTPUT in US dollars a million tokens")
        return [*faults, *self._installation_inconsistencies(), *self._broker_inconsistencies()]

    def _installation_inconsistencies(self) -> list[str]:
        faults: list[str] = []
        if self.secret_key is not None and not (self.secret_keys and all(map(_is_key, self.secret_keys))):
            faults.append(
                "ATHENAEUM_SECRET_KEY: give 32 random bytes in base64, as `openssl rand -base64 32` prints them;"
                " old keys may follow behind commas"
            )
        if (self.slack_client_id is None) != (self.slack_client_secret is None):
            faults.append("SLACK_CLIENT_ID: set it and SLACK_CLIENT_SECRET together (Slack app, Basic Information)")
        elif self.slack_client_id is not None and self.secret_key is None:
            faults.append(
                "ATHENAEUM_SECRET_KEY: needed with SLACK_CLIENT_ID, to encrypt the tokens of the workspaces;"
                " `openssl rand -base64 32` prints one"
            )
        return faults

    def _broker_inconsistencies(self) -> list[str]:
        faults: list[str] = []
        for name, schemes in (("redis_url", _REDIS), ("celery_broker_url", _BROKERS)):
            secret: SecretStr | None = getattr(self, name)
            if secret is not None and not secret.get_secret_value().startswith(schemes):
                faults.append(f"{self._variable(name)}: give an address that begins with {' or '.join(schemes)}")
        if self.engine is EngineName.CELERY and self.broker_url is None:
            faults.append("ATHENAEUM_ENGINE: celery needs a broker: set CELERY_BROKER_URL or REDIS_URL")
        return faults

    def variable(self, name: str) -> str | None:
        """What the environment, or else `.env`, says a variable is, for a file of the operator's that names it."""
        sources = [EnvSettingsSource(type(self), case_sensitive=True)]
        if _is_text(Path(".env")):
            sources.append(DotEnvSettingsSource(type(self), case_sensitive=True))
        return next((found for source in sources if (found := source.env_vars.get(name)) is not None), None)

    @property
    def prices(self) -> dict[str, Price]:
        """What the operator says that models cost."""
        return read_prices(self.model_prices or "")

    @property
    def secret_keys(self) -> list[str]:
        """The keys that stored tokens are encrypted with, the newest first."""
        secret = self.secret_key.get_secret_value() if self.secret_key else ""
        return [key for part in secret.split(",") if (key := part.strip())]

    @property
    def home_dir(self) -> Path:
        """`home` with `~` resolved."""
        return self.home.expanduser().resolve()

    @property
    def mcp_address(self) -> str:
        """Where clients reach our MCP servers, without a path; their tokens are for this address."""
        return (self.mcp_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def visibility_timeout(self) -> timedelta:
        """How long a claim lives without a heartbeat."""
        return timedelta(seconds=self.event_visibility_timeout)

    @property
    def broker_url(self) -> str | None:
        """Where Celery's messages go: Redis, unless another broker is named."""
        secret = self.celery_broker_url or self.redis_url
        return secret.get_secret_value() if secret else None

    def describe(self) -> dict[str, str]:
        """Every setting by its variable's name; secrets only as set or unset."""
        shown: dict[str, str] = {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            secret = "SecretStr" in str(field.annotation)
            shown[self._variable(name)] = "unset" if value is None else "set" if secret else str(value)
        return shown

    def log_configuration(self) -> None:
        """Log every setting, secrets only as set or unset."""
        log.info("config.loaded", **self.describe())


def _is_http(address: str) -> bool:
    try:
        TypeAdapter(AnyHttpUrl).validate_python(address)
    except ValidationError:
        return False
    return True


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key.translate(str.maketrans("-_", "+/")), validate=True)) == 32
    except ValueError:
        return False


def _is_text(path: Path) -> bool:
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False
    except OSError:
        return True  # there is none, or it is told when it is read
    return True
