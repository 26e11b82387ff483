from __future__ import annotations

from athenaeum.domain.identity import PassageId
from athenaeum.retrieval.fusion import fuse

A, B, C = PassageId(1), PassageId(2), PassageId(3)


def test_a_passage_that_both_find_best_has_the_whole_score() -> None:
    assert fuse({A: 9.0, B: 1.0}, {A: 0.9, B: 0.1}) == {A: 1.0, B: 0.0}


def test_a_passage_that_one_has_not_found_keeps_the_others_share() -> None:
    fused = fuse({A: 9.0, B: 1.0}, {C: 0.9, B: 0.1})
    assert list(fused)[:2] == [A, C] or list(fused)[:2] == [C, A]
    assert abs(fused[A] + fused[C] - 1.0) < 1e-9


def test_one_ranking_alone_keeps_its_order() -> None:
    assert list(fuse({}, {A: 0.1, B: 0.9, C: 0.5})) == [B, C, A]


def test_equal_scores_are_ordered_by_id() -> None:
    assert list(fuse({C: 1.0, A: 1.0, B: 1.0}, {})) == [A, B, C]


def test_nothing_found_is_nothing() -> None:
    assert fuse({}, {}) == {}
