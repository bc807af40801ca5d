"""The fuzzers find what is wrong, and their requests can be made again from a seed and a number."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.fuzz import schema, sending
from tests.fuzz.bodies import request
from tests.fuzz.hooks import as_read_from_xml
from tests.support.platform import ROOT, free_ports, wait_for


@contextmanager
def defective_api(defect: str) -> Iterator[str]:
    """The URL of an API with this defect."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"

    def vive() -> bool:
        try:
            return bool(urlopen(f"{url}/health").status == 200)
        except OSError:
            return False

    process = subprocess.Popen([sys.executable, "-m", "tests.fuzz.defective", str(port), defect], cwd=ROOT)
    try:
        wait_for("the API", vive)
        yield url
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("defect", "finding"), [("500", "500: "), ("html", "400 as text/html"), ("memory", "memory grew")]
)
def test_what_is_wrong_with_answers_or_memory_is_found(tmp_path: Path, defect: str, finding: str) -> None:
    with defective_api(defect) as url:
        findings = sending.run(url, 600, 7, tmp_path).findings
    assert [text for text in findings if text.startswith(finding)]
    if defect != "memory":
        (saved, *_) = sorted(tmp_path.glob("7-*.http"))
        assert saved.read_bytes() == request(7, int(saved.stem.partition("-")[2])).raw


def test_an_answer_that_the_document_does_not_know_is_found(tmp_path: Path) -> None:
    with defective_api("500") as url:
        findings = schema.run(url, 1, 7, tmp_path).findings
    assert "Server error" in findings[0]
    assert "curl -X POST" in findings[0]


def test_a_worker_that_died_is_found() -> None:
    assert sending.memory_findings({1: 100, 2: 100}, {1: 100, 3: 100})
    assert sending.memory_findings({}, {})
    assert not sending.memory_findings({1: 100, 2: 100}, {1: 115, 2: 100})


def test_requests_are_of_every_kind_and_the_same_for_the_same_seed() -> None:
    requested = [request(7, number) for number in range(3000)]
    assert requested == [request(7, number) for number in range(3000)]
    everything = b"\n".join(raw_request.raw for raw_request in requested)
    for part in (
        b"<!ENTITY a9",
        b"file:///etc/passwd",
        b"[" * 900,
        b"NaN",
        b"\xff\xfe",
        b"\xed\xa0\x80",
        b"chunked",
        b"\x1f\x8b",
    ):
        assert part in everything
    assert Counter(raw_request.method for raw_request in requested)["POST"] > 2000
    assert 100 < sum(not raw_request.is_complete for raw_request in requested) < 600


@pytest.mark.parametrize(
    ("body", "parsed"),
    [
        ({"stock": "5", "nombre": 5.0, "a": None, "b": True}, {"stock": 5, "nombre": "5", "a": "null", "b": "true"}),
        ({"stock": [], "nombre": [["a"]], "a": [1, 2], "b": {}}, {"nombre": "a", "a": [1, 2], "b": ""}),
        ({"stock": " x\x01 "}, {"stock": "x"}),
        ([{"stock": 1}], {"stock": 1}),
        ("", {}),
        (True, True),
    ],
)
def test_bodies_are_judged_as_xml_carries_them(body: object, parsed: object) -> None:
    assert as_read_from_xml(body, {"stock"}) == parsed
