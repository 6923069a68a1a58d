"""The public URL, with or without the path that Order Desk is served under."""

import pytest

from core.ground import get_settings, origin_of
from core.ground.public_address import parse, under
from tests.core.refunds.refund_rows import settings


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("https://desk.helios.example", "https://desk.helios.example"),
        ("HTTPS://Desk.Helios.Example/", "https://desk.helios.example"),
        ("https://desk.helios.example:443/desk/", "https://desk.helios.example/desk"),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:443", "http://localhost:443"),
        ("https://desk.helios.example:8443", "https://desk.helios.example:8443"),
        ("https://dësk.example/Tools/desk", "https://xn--dsk-jma.example/Tools/desk"),
        ("http://[0:0:0:0:0:0:0:1]:8501", "http://[::1]:8501"),
    ],
)
def test_an_address_is_written_as_browsers_write_it(typed: str, understood: str) -> None:
    assert parse(typed) == understood


@pytest.mark.parametrize(
    "typed",
    [
        "desk.helios.example",
        "ftp://desk.helios.example",
        "https://",
        "https:///desk",
        "https://desk.helios.example:99999",
        "https://desk.helios.example:port",
        "https://[desk",
        "https://[desk]",
        "https://ana@desk.helios.example",
        "https://desk.helios.example/?view=x",
        "https://desk.helios.example/#x",
        "https://desk helios.example",
        "https://desk.helios.example/\n",
        f"https://{'ä' * 70}.example",
    ],
)
def test_an_invalid_public_url_stops_the_start(typed: str) -> None:
    with pytest.raises(ValueError, match=r"^must "):
        parse(typed)
    with settings(public_url=typed), pytest.raises(SystemExit, match=r"\nPUBLIC_URL: "):
        get_settings()


@pytest.mark.parametrize(
    ("url", "base", "whole"),
    [
        ("https://host", "", "https://host"),
        ("https://host", "/", "https://host"),
        ("https://host", "desk", "https://host/desk"),
        ("https://host", "/desk/", "https://host/desk"),
        ("https://host/desk", "/desk", "https://host/desk"),
        ("https://host/desk", "", "https://host/desk"),
        ("https://desk", "/desk", "https://desk/desk"),
        ("https://host/mydesk", "desk", "https://host/mydesk/desk"),
        ("https://host/tools/desk", "desk", "https://host/tools/desk"),
        ("https://host", "/tools/desk", "https://host/tools/desk"),
    ],
)
def test_the_path_is_appended_to_the_public_url_once(url: str, base: str, whole: str) -> None:
    assert under(url, base) == whole
    with settings(public_url=url, streamlit_server_base_url_path=base):
        assert get_settings().public_url == whole


def test_an_origin_has_no_path_and_no_default_port() -> None:
    assert origin_of("https://Desk.example:443/desk/orders?view=x") == "https://desk.example"
    assert origin_of("http://localhost:8501/desk") == "http://localhost:8501"
