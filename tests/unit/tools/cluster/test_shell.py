"""What pulsar-admin prints when it fails: whether it may succeed later. All texts are the real program's."""

from pathlib import Path

import pytest
from tools.cluster import shell
from tools.cluster.shell import Response, execute

GIVEN_UP = "Could not complete the operation. Number of retries has been exhausted. Failed reason: "


@pytest.mark.parametrize(
    ("text", "is_transient"),
    [
        ('Reason: javax.ws.rs.ServiceUnavailableException: HTTP 503 {"reason": "not done initializing"}', True),
        ("Reason: javax.ws.rs.ServiceUnavailableException: HTTP 503 <html>", True),
        ("Reason: HTTP 500 Server Error", True),
        (f"Reason: org.apache.pulsar.client.admin.internal.http.AsyncHttpConnector$RetryException: {GIVEN_UP}x", True),
        ("Reason: java.util.concurrent.TimeoutException", True),
        (shell.ENDED_BEFORE, True),
        ("Reason: Function crear-orden already exists", False),
        ("Reason: Tenant does not exist", False),
        ("Reason: Backlog Quota exceeds configured retention quota. Please increase retention quota and retry", False),
        ("Reason: Leader not yet ready. Please retry again", True),
        ("Unmatched argument at index 3: '--no'", False),
    ],
)
def test_what_may_succeed_later_is_known(text: str, is_transient: bool) -> None:
    assert Response("tenants list", text, text).is_transient is is_transient
    assert not Response("tenants list", "", None).is_transient


def use_shell(monkeypatch: pytest.MonkeyPatch, program: Path, text: str) -> None:
    program.write_text(text)
    program.chmod(0o755)
    monkeypatch.setenv("PULSAR_SHELL", str(program))


def test_a_shell_that_dies_has_not_got_to_the_other_commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_shell(
        monkeypatch,
        tmp_path / "pulsar-shell",
        "#!/bin/sh\necho '[1/2] Executing admin tenants list'\necho public\nkill -9 $$\n",
    )
    first, second = execute([["tenants", "list"], ["tenants", "create", "x"]], "http://127.0.0.1:1")
    assert (first.text.strip(), first.failure) == ("public", None)
    assert second.is_transient


def test_commands_that_are_not_answered_in_time_may_have_been_carried_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_shell(monkeypatch, tmp_path / "pulsar-shell", "#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(shell, "TIMEOUT", 0.2)
    (response,) = execute([["tenants", "list"]], "http://127.0.0.1:1")
    assert response.is_transient
    assert "http://127.0.0.1:1 did not answer 1 commands in 0.2 s" in response.error
