"""The demo: a made-up company in a local workspace, its documents, and the whole product beside them."""
