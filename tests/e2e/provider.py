"""An OpenID Connect provider as a process of its own, and people who sign in with it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page

from tests.conftest import free_port
from tests.e2e.servers import wait_until
from tests.e2e.waiting import expect


@dataclass(frozen=True)
class Provider:
    """A running provider."""

    url: str

    @property
    def settings(self) -> dict[str, Any]:
        """Return the settings of a server whose people sign in with it."""
        return {
            "OIDC_METADATA_URL": f"{self.url}/.well-known/openid-configuration",
            "OIDC_CLIENT_ID": "order-desk",
            "OIDC_CLIENT_SECRET": "only-in-tests",
        }

    def knows(self, subject: str, **claims: Any) -> None:
        """Let it know somebody, and what it says of them."""
        httpx.put(f"{self.url}/users/{subject}", json=claims).raise_for_status()


@contextmanager
def providing(folder: Path, *, seconds: int = 3600) -> Iterator[Provider]:
    """Run a provider whose tokens last so long, until the block ends."""
    port = free_port()
    log = folder / f"provider-{port}.log"
    command = [sys.executable, "-m", "oidc_provider_mock", "-H", "localhost", "-p", str(port)]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, "-e", str(seconds)], stdout=output, stderr=subprocess.STDOUT
        )
    provider = Provider(f"http://localhost:{port}")
    try:
        wait_until(lambda: _answers(provider), process, log)
        yield provider
    finally:
        process.terminate()
        process.wait(10)


def _answers(provider: Provider) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(provider.settings["OIDC_METADATA_URL"]).is_success
    return False


def sign_in(page: Page, subject: str) -> None:
    """Go from the form to the provider, say who it is, and come back."""
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_placeholder("sub").fill(subject)
    page.get_by_role("button", name="Authorize").click()


def expect_form(page: Page, words: str) -> None:
    """Wait for the form, with nothing of the application beside it."""
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible(timeout=20_000)
    expect(page.locator(".st-key-sign_in")).to_contain_text(words)
    expect_nothing_else(page)


def expect_nothing_else(page: Page) -> None:
    """Check that a page has no table, no navigation and no file."""
    for nothing in ("iframe", ".st-key-navigation", "a[href*=token]"):
        expect(page.locator(nothing)).to_have_count(0)
