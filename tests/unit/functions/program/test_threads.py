"""Work in threads: its results, its errors, and what is said on the way."""

import threading

import pytest

from functions.program.threads import map_in_threads


def test_results_come_in_the_order_of_the_items_and_progress_as_they_are_done() -> None:
    second_is_done = threading.Event()
    progress: list[tuple[int, int]] = []

    def work(item: str) -> str:
        if item == "first":
            assert second_is_done.wait(60)
        else:
            second_is_done.set()
        return item.upper()

    assert map_in_threads(2, work, ["first", "second"], lambda *done: progress.append(done)) == ["FIRST", "SECOND"]
    assert progress == [(1, 2), (2, 2)]


def test_an_error_is_raised_at_once_and_no_more_is_begun() -> None:
    end = threading.Event()
    begun: list[int] = []

    def work(item: int) -> None:
        begun.append(item)
        if item == 1:
            raise ValueError("the second")
        assert end.wait(60)

    try:
        with pytest.raises(ValueError, match="the second"):
            map_in_threads(2, work, range(100))
    finally:
        end.set()
    assert len(begun) <= 3


def test_nothing_is_done_for_nothing() -> None:
    assert map_in_threads(2, str, []) == []


def test_it_works_in_other_threads_than_the_main_one() -> None:
    results: list[list[str]] = []
    thread = threading.Thread(target=lambda: results.append(map_in_threads(2, str, [1, 2])))
    thread.start()
    thread.join(60)
    assert results == [["1", "2"]]
