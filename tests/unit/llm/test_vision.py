from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from pydantic_ai import BinaryContent
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, UserPromptPart
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.profiles import ModelProfile

from athenaeum.domain.price import Price
from athenaeum.llm.prices import estimate
from athenaeum.llm.vision import VisionModel, count_pictures

PICTURE = BinaryContent(b"\xff\xd8" + bytes(400_000), media_type="image/jpeg")
ASKED: list[ModelMessage] = [ModelRequest([UserPromptPart(["Look:", PICTURE, "What is it?"])])]


class Provider:
    """Keeps what it is asked, and refuses what carries a picture with a status."""

    def __init__(self, refusal: int | None = None, *, sees: bool = True) -> None:
        self.asked: list[list[ModelMessage]] = []
        self._refusal = refusal
        profile = ModelProfile(supports_image_input=sees)
        self.model = VisionModel(FunctionModel(self._respond, stream_function=self._stream, profile=profile))

    async def _respond(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        self._take(messages)
        return ModelResponse([TextPart("A barn.")])

    async def _stream(self, messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
        self._take(messages)
        yield "A barn."

    def _take(self, messages: list[ModelMessage]) -> None:
        self.asked.append(messages)
        if self._refusal is not None and count_pictures(messages):
            raise ModelHTTPError(self._refusal, "a-model")

    async def ask(self, *, stream: bool) -> None:
        if not stream:
            await self.model.request(ASKED, None, ModelRequestParameters())
            return
        async with self.model.request_stream(ASKED, None, ModelRequestParameters()) as response:
            async for _ in response:
                pass

    def pictures(self) -> list[int]:
        return [count_pictures(messages) for messages in self.asked]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_model_that_sees_is_shown_a_picture(stream: bool) -> None:
    provider = Provider()
    await provider.ask(stream=stream)
    assert provider.asked == [ASKED]


@pytest.mark.parametrize("stream", [False, True])
async def test_one_that_does_not_is_told_of_it(stream: bool) -> None:
    provider = Provider(sees=False)
    await provider.ask(stream=stream)
    assert provider.pictures() == [0]
    assert "A picture is here that you cannot see." in str(provider.asked[0])
    assert "What is it?" in str(provider.asked[0])


@pytest.mark.parametrize("stream", [False, True])
async def test_one_whose_server_refuses_pictures_is_asked_again_without(stream: bool) -> None:
    provider = Provider(refusal=400)
    await provider.ask(stream=stream)
    assert provider.pictures() == [1, 0]


@pytest.mark.parametrize("stream", [False, True])
async def test_what_is_refused_for_another_reason_is_not_asked_again(stream: bool) -> None:
    provider = Provider(refusal=529)
    with pytest.raises(ModelHTTPError):
        await provider.ask(stream=stream)
    assert provider.pictures() == [1]


async def test_a_picture_is_not_paid_for_by_its_bytes() -> None:
    expected = estimate(Provider().model, ASKED, Price(input=Decimal(1), output=Decimal(0)))
    assert expected is not None
    assert expected < Decimal("0.002")
