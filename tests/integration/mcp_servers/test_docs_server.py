"""The documents' server."""

from __future__ import annotations

from athenaeum.domain.passage import Origin
from athenaeum.retrieval.passages import NewPassage
from support.product import RUNBOOK, Product
from support.side_doors import AskedBy, call


async def test_documents_are_found_and_no_message_is(docs_of: AskedBy, product: Product) -> None:
    hidden = chr(0xE0041)
    await product.put(NewPassage(Origin.DOCUMENT, "Billing", f"Billing is deployed at noon.{hidden}"), source="notes")

    async with docs_of("maya") as client:
        [tool] = await client.list_tools()
        [runbook, *_] = (await call(client, "search_documents", query="retry a failed event"))["passages"]
        billing = await call(client, "search_documents", query="when is the billing service deployed")

    assert tool.annotations is not None
    assert (tool.name, tool.annotations.read_only_hint) == ("search_documents", True)
    assert (runbook["title"], runbook["heading"], runbook["url"]) == (RUNBOOK.title, RUNBOOK.heading, RUNBOOK.url)
    assert runbook["text"] == RUNBOOK.text
    assert [passage["text"] for passage in billing["passages"]] == ["Billing is deployed at noon."]
