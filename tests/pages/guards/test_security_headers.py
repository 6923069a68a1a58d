"""The headers for HTTPS and the policy; tests/e2e sees what a browser makes of the policy."""

import base64
import hashlib
import re
from pathlib import Path

import pytest
from streamlit.file_util import get_static_dir

from pages.guards import SecurityHeaders
from pages.guards.security_headers import GRID_POLICY, PAGE_POLICY
from pages.web import GRID_SCRIPT
from tests.pages.asked import Answer, ask

COMPONENT = "/component/st_aggrid.agGrid/index.html"
OWN = "default-src 'none'"


def asked(path: str = "/orders", base: str = "", scheme: str = "http", policy: str = "") -> Answer:
    answer = [("content-security-policy", policy)] if policy else []
    return ask(lambda app: SecurityHeaders(app, base), path, scheme=scheme, answer=answer)


def rules(policy: str) -> dict[str, list[str]]:
    """Return the sources of each directive."""
    return {one.split()[0]: one.split()[1:] for one in policy.split(";")}


@pytest.mark.parametrize(("scheme", "said"), [("https", ["max-age=31536000"]), ("http", [])])
def test_only_over_https_a_browser_is_told_to_keep_to_https(scheme: str, said: list[str]) -> None:
    answer = asked(scheme=scheme)
    assert answer.all("strict-transport-security") == said
    assert answer.all("referrer-policy") == ["same-origin"]


@pytest.mark.parametrize("base", ["", "/desk"])
def test_the_grid_has_a_policy_of_its_own_below_the_path_too(base: str) -> None:
    for path, policy in ((COMPONENT, GRID_POLICY), ("/orders", PAGE_POLICY), ("/", PAGE_POLICY)):
        assert asked(base + path, base).all("content-security-policy") == [policy]
    assert asked(f"/elsewhere{COMPONENT}", base).all("content-security-policy") == [PAGE_POLICY]


def test_a_route_with_a_policy_keeps_it() -> None:
    assert asked(policy=OWN).all("content-security-policy") == [OWN]


@pytest.mark.parametrize("policy", [PAGE_POLICY, GRID_POLICY])
def test_a_policy_lets_a_page_reach_this_server_only(policy: str) -> None:
    found = rules(policy)
    assert found["default-src"] == ["'none'"]
    assert found["connect-src"] == ["'self'"]
    for name in ("form-action", "object-src", "base-uri", "worker-src"):
        assert found[name] == ["'none'"]
    local = {"'self'", "'none'", "data:", "'unsafe-inline'", "'unsafe-eval'", "'wasm-unsafe-eval'"}
    foreign = {one for sources in found.values() for one in sources} - local
    assert {one.partition("-")[0] for one in foreign} == {"'sha256"}
    assert "'unsafe-inline'" not in found["script-src"]
    assert "data:" not in found["script-src"]


def test_only_the_grid_may_evaluate_texts() -> None:
    assert "'unsafe-eval'" not in PAGE_POLICY
    assert "'unsafe-eval'" in rules(GRID_POLICY)["script-src"]


def test_the_hashes_are_those_of_the_inline_scripts() -> None:
    page = (Path(get_static_dir()) / "index.html").read_text("utf-8")
    inline = re.findall(r"<script(?![^>]* src=)[^>]*>(.*?)</script>", page, re.DOTALL)
    assert len(inline) == 1
    for scripts, policy in ((inline, PAGE_POLICY), ((GRID_SCRIPT,), GRID_POLICY)):
        digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
        expected = [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
        hashes = [one for one in rules(policy)["script-src"] if one.startswith("'sha256-")]
        assert hashes == expected
