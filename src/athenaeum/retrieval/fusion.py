"""One ranking from two."""

from __future__ import annotations

from collections.abc import Mapping

from athenaeum.domain.identity import PassageId

Scores = Mapping[PassageId, float]

LEXICAL_SHARE = 0.5
"""nDCG@10 on two collections: .738 and .820 with one half, .735 and .805 with .6 (bench/search.py)."""


def fuse(lexical: Scores, similar: Scores) -> dict[PassageId, float]:
    """Convex combination of min-max normalised scores, best first, between 0 and 1.

    Bruch, Gai and Ingber, 2023, "An Analysis of Fusion Functions for Hybrid Retrieval". A passage that one of the two
    did not find has that one's lowest score.
    """
    words, meaning = _normalised(lexical), _normalised(similar)
    fused = {
        passage: LEXICAL_SHARE * words.get(passage, 0.0) + (1 - LEXICAL_SHARE) * meaning.get(passage, 0.0)
        for passage in words.keys() | meaning.keys()
    }
    return dict(sorted(fused.items(), key=lambda item: (-item[1], item[0])))


def _normalised(scores: Scores) -> dict[PassageId, float]:
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    spread = high - low
    return {passage: (score - low) / spread if spread else 1.0 for passage, score in scores.items()}
