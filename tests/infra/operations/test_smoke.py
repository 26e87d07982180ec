"""`make smoke`: a deployed environment is asked as somebody outside meets it, here by a server of the test's own."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from botocore.stub import Stubber

from infra.compose.model import Public
from infra.operations.__main__ import main
from tests.infra.operations.conftest import stub_clients


@contextmanager
def answering(statuses: dict[str, list[int]]) -> Iterator[str]:
    """Answer each path with its statuses one after the other, the last of them for ever."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            left = statuses.get(self.path, [404])
            self.send_response(left.pop(0) if len(left) > 1 else left[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> Stubber:
    return stub_clients(monkeypatch, "cloudformation")["cloudformation"]


def deployed(stacks: Stubber, url: str) -> None:
    stack = {
        "StackName": "catalogue-dev",
        "CreationTime": "2026-11-24T00:00:00Z",
        "StackStatus": "CREATE_COMPLETE",
        "Outputs": [{"OutputKey": "PublicUrl", "OutputValue": url}],
    }
    stacks.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "catalogue-dev"})


def test_every_public_service_is_asked_for_its_health(stacks: Stubber, capsys: pytest.CaptureFixture[str]) -> None:
    with answering({"/health/live": [200], "/_stcore/health": [200]}) as url:
        deployed(stacks, f"{url}/")

        assert main(["smoke"]) == 0

        said = capsys.readouterr().out
        assert f"✓ {url}/health/live\n" in said
        assert f"✓ {url}/_stcore/health\n" in said


def test_one_that_does_not_answer_in_time_fails_it(stacks: Stubber, capsys: pytest.CaptureFixture[str]) -> None:
    with answering({"/health/live": [200], "/_stcore/health": [503]}) as url:
        deployed(stacks, url)

        assert main(["smoke", "--patience", "0"]) == 1

        assert f"✗ {url}/_stcore/health: it answered 503" in capsys.readouterr().out


def test_an_environment_that_is_not_there_is_one_sentence(stacks: Stubber, capsys: pytest.CaptureFixture[str]) -> None:
    stacks.add_client_error("describe_stacks", "ValidationError", "Stack catalogue-dev does not exist")

    assert main(["smoke"]) == 1
    assert "smoke: there is no stack catalogue-dev" in capsys.readouterr().err


def test_a_status_is_well_where_the_load_balancer_takes_it_for_well() -> None:
    def public(codes: str) -> Public:
        return Public(paths=("/*",), health_path="/", health_codes=codes, sticky=False, free_input=())

    several = public("200-299,401")
    assert [status for status in (200, 204, 301, 401, 404, 503) if several.is_well(status)] == [200, 204, 401]
    assert public("200").is_well(200)
