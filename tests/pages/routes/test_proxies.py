"""What proxies say of a request: nothing of it decides anything where people sign in."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.conftest import use_database
from tests.pages.routes.whole import Whole, whole_application

PUBLIC = "https://desk.helios.example"
SIGN_IN = {
    "OIDC_METADATA_URL": "https://id.helios.example/.well-known/openid-configuration",
    "OIDC_CLIENT_ID": "desk",
    "OIDC_CLIENT_SECRET": "of the provider",
    "PUBLIC_URL": PUBLIC,
    "FIRST_ADMIN_EMAIL": "ana@helios.example",
}
# As one proxy, two in a row, and somebody who makes it up say it.
SAID: list[dict[str, str]] = [
    {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"},
    {"X-Forwarded-For": "203.0.113.7, 10.0.0.2", "X-Forwarded-Host": "desk.helios.example"},
    {"Forwarded": "for=203.0.113.7;proto=https, for=10.0.0.2", "Via": "1.1 outer, 1.1 inner"},
    {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "X-Forwarded-Port": "1"},
    {"X-Forwarded-Prefix": "//evil.example", "X-Script-Name": "/evil", "X-Original-URL": "/evil"},
    {"X-Forwarded-Host": "evil.example", "X-Forwarded-Server": "evil.example", "X-Host": "evil"},
]
PATHS = ("/desk", "/desk/", "/desk/orders", "/desk/orders/", "/desk/export/orders", "/desk/healthz")


@pytest.fixture(scope="module")
def whole(make_database: Callable[[str], str]) -> Iterator[Whole]:
    """Run the application where people sign in, below a path."""
    use_database(make_database("sqlite"))
    with whole_application("/desk", **SIGN_IN) as whole:
        yield whole


def answered(whole: Whole, path: str, headers: dict[str, str]) -> tuple[int, str | None, str, str]:
    """Return what an answer depends on: status, where it leads, what it keeps, and its policy."""
    with whole.client() as client:
        answer = client.get(path, headers={"Accept": "text/html", **headers})
        kept = ",".join(one.partition("=")[2].partition(";")[2] for one in _cookies(answer))
        policy = answer.headers.get("strict-transport-security", "")
        return answer.status_code, answer.headers.get("location"), kept, policy


def _cookies(answer: httpx.Response) -> list[str]:
    return answer.headers.get_list("set-cookie")


@pytest.mark.parametrize("headers", SAID, ids=lambda said: ", ".join(said))
def test_what_a_proxy_says_changes_no_answer(whole: Whole, headers: dict[str, str]) -> None:
    for path in PATHS:
        plain = answered(whole, path, {})
        assert answered(whole, path, headers) == plain
        assert plain[3]  # HTTPS by PUBLIC_URL, whatever the last proxy speaks
        assert "evil" not in str(plain)


@pytest.mark.parametrize("headers", SAID, ids=lambda said: ", ".join(said))
def test_nor_does_it_make_another_site_ours(whole: Whole, headers: dict[str, str]) -> None:
    with whole.client() as client:
        for origin, status in (("https://evil.example", 403), ("http://evil", 403), (PUBLIC, 401)):
            answer = client.post("/desk/rows/orders", headers={**headers, "Origin": origin})
            assert answer.status_code == status
