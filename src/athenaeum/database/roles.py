"""The two unprivileged roles that everything is done as, each for one transaction at a time.

`ENGINE` sees the queue and the register of all tenants, and nothing that a person wrote. `APP` sees everything of
exactly one tenant, the one in the setting `app.tenant`. Row-level security holds both to it.
"""

from __future__ import annotations

ENGINE = "athenaeum_engine"
APP = "athenaeum_app"
