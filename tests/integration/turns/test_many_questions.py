"""More questions than one: in one thread, and in many at once."""

from __future__ import annotations

from support.product import Product
from support.stage import said


async def test_two_questions_in_one_thread_are_answered_in_order(product: Product) -> None:
    first = product.ask("maya", "platform")
    await product.opened(first)
    product.ask("tom", "platform", "When is the billing service deployed?", thread=first)
    await product.rest()
    one, two = product.replies(first)
    assert "athenaeum events retry" in said(one)
    assert "14:00 UTC" in said(two)
    turns = await product.rows("SELECT started_at, finished_at FROM turns ORDER BY message_ts", own=True)
    assert turns[0][1] < turns[1][0]


async def test_ten_questions_in_ten_threads_are_each_answered_once(product: Product) -> None:
    asked = [product.ask("maya", "platform") for _ in range(10)]
    for question in asked:
        assert "athenaeum events retry" in said(await product.answer(question))
    assert len(product.spoken()) == 10
