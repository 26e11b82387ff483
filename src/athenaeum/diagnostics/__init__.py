"""What `athenaeum doctor` looks at: a module a subject, and `examination`, which looks at all of them.

Each gives findings and raises nothing for what it finds wrong; one fault never hides another.
"""

from __future__ import annotations

from athenaeum.diagnostics.examination import examine
from athenaeum.diagnostics.finding import Finding, Verdict

__all__ = ["Finding", "Verdict", "examine"]
