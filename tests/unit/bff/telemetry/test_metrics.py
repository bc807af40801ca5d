"""The files that workers keep their metrics in may be removed, by cleaners of /tmp, say."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import shutil, sys
from pathlib import Path
from bff.telemetry import metrics
def request(status):
    metrics.REQUESTS.labels("GET", "/health", status).observe(0.001)
metrics.begin_request()
request(200)
remove = {remove}
for _ in range(3):
    remove()
    metrics.begin_request()
    request(404)
    metrics.end_request()
request(404)
print(metrics.text({{}}).decode())
"""
REMOVALS = {
    "the folder": "lambda: shutil.rmtree(sys.argv[1])",
    "its files": "lambda: [path.unlink() for path in Path(sys.argv[1]).iterdir()]",
}


def run(script: str, folder: Path) -> str:
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    output = subprocess.run([sys.executable, "-c", script, folder], env=env, capture_output=True, text=True, check=True)
    return output.stdout


@pytest.mark.parametrize("removed", REMOVALS)
def test_what_is_counted_begins_again_and_what_is_in_progress_stays_right(tmp_path: Path, removed: str) -> None:
    output = run(SCRIPT.format(remove=REMOVALS[removed]), tmp_path)
    assert 'bff_request_seconds_count{method="GET",route="/health",status="404"} 2.0\n' in output
    assert "\nbff_requests_in_progress 1.0\n" in output


def test_a_process_that_begins_makes_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "removed" / "bff-metrics-x"
    assert "\nbff_requests_in_progress 1.0\n" in run(SCRIPT.format(remove="lambda: None"), folder)
    shutil.rmtree(folder)


def test_what_several_processes_count_is_added_up(tmp_path: Path) -> None:
    for processes in (1, 2, 3):
        output = run(SCRIPT.format(remove="lambda: None"), tmp_path)
        assert f'bff_request_seconds_count{{method="GET",route="/health",status="404"}} {4.0 * processes}\n' in output
