"""Files that come with a question are read for its answer."""

from __future__ import annotations

from slacksim import files
from support.product import Product
from support.stage import said

HANDBOOK = b"""# Handbook

## Holidays

Everybody has thirty days of holiday a year, and takes ten of them in August.

## Equipment

A broken laptop is replaced by the office in Lisbon.
"""


async def test_a_file_is_read_for_the_answer_and_cited_as_its_source(product: Product) -> None:
    maya = product.person("maya")
    handbook = maya.upload("handbook.md", HANDBOOK)
    asked = maya.say("platform", f"{product.bot} Who replaces a broken laptop?", files=[handbook])
    answer = await product.answer(asked)
    assert "the office in Lisbon" in said(answer)
    (sources,) = [block["elements"][0]["text"] for block in answer.blocks if block["type"] == "context"]
    assert f"/files/{maya.user.id}/{handbook.id}/handbook.md|handbook.md" in sources


async def test_a_later_question_of_the_thread_is_answered_from_its_files(product: Product) -> None:
    maya = product.person("maya")
    shared = maya.say("platform", "Our new handbook", files=[maya.upload("handbook.md", HANDBOOK, is_sparse=True)])
    await product.rest()
    answer = await product.answer(product.ask("tom", "platform", "How many days of holiday?", thread=shared))
    assert "thirty days" in said(answer)


async def test_a_file_that_is_taken_away_meanwhile_is_not_quoted(product: Product) -> None:
    maya = product.person("maya")
    handbook = maya.upload("handbook.md", HANDBOOK)
    shared = maya.say("platform", "Our new handbook", files=[handbook])
    await product.answer(product.ask("tom", "platform", "How many days of holiday?", thread=shared))
    files.delete(product.sim.world, handbook)
    await product.rest()
    product.ask("tom", "platform", "sources", thread=shared)
    await product.rest()
    assert "thirty days" not in said(product.replies(shared)[-1])
    assert "2 more can no longer be read" in said(product.replies(shared)[-1])


async def test_a_file_without_words_asks_what_is_in_it(product: Product) -> None:
    maya = product.person("maya")
    answer = await product.answer(maya.say("athenaeum", "", files=[maya.upload("handbook.md", HANDBOOK)]))
    assert "Mention me with a question" not in said(answer)
    [[prompt]] = await product.rows("SELECT result::text FROM steps WHERE name = 'prompt'", own=True)
    assert "A broken laptop is replaced by the office in Lisbon." in prompt
