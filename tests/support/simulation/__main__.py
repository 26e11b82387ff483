"""`python -m support.simulation SCENARIO SEED`: that run once more, and its shortest story when it goes wrong."""

from __future__ import annotations

import sys

from support.simulation.exploration import run, tell
from support.simulation.scenarios import SETTINGS
from support.simulation.world import virtual_time


def main(arguments: list[str]) -> int:
    """Give 1 when the run goes wrong."""
    if len(arguments) != 2 or arguments[0] not in SETTINGS or not arguments[1].isdecimal():
        print(f"give one of {', '.join(SETTINGS)} and a seed", file=sys.stderr)
        return 2
    setting, seed = SETTINGS[arguments[0]], int(arguments[1])
    with virtual_time():
        found = run(setting, seed, traced=True)
    if found.wrong:
        print(tell(setting, seed, found))
        return 1
    print("\n".join(found.trace))
    print(f"nothing is wrong after {found.steps} steps and {found.seconds:.1f} virtual seconds")
    return 0


sys.exit(main(sys.argv[1:]))
