"""Local mode serves only this machine: no proxy, whatever headers it adds."""

import pytest

from pages.guards import LocalOnly
from tests.pages.asked import ask

LOCAL = ("host", "localhost:8501")
PROXY_HEADERS = """
Forwarded X-Forwarded X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Forwarded-Port
X-Forwarded-Server X-Forwarded-Prefix X-Forwarded-Ssl X-Forwarded-By X-Forwarded-User
X-Forwarded-Client-Cert X-Forward-For Forwarded-For X-Original-Forwarded-For X-Original-Host
X-Original-URL X-Real-IP X-Real-Port Via X-Via CF-Connecting-IP CF-Connecting-IPv6 CF-Ray CF-Visitor
CF-IPCountry CF-Worker CDN-Loop True-Client-IP X-Client-IP X-Cluster-Client-IP Client-IP
Fly-Client-IP Fly-Forwarded-Port Fastly-Client-IP Fastly-SSL X-ProxyUser-Ip X-Proxy-Id
X-Envoy-External-Address X-Envoy-Original-Path X-Amzn-Trace-Id X-Amz-Cf-Id X-Azure-ClientIP
X-Appengine-User-IP X-Arr-Log-Id X-Arr-SSL X-Vercel-Forwarded-For X-Nf-Client-Connection-Ip
X-Varnish X-Remote-Addr X-Remote-IP X-Host X-Scheme Proxy-Client-IP WL-Proxy-Client-IP
CloudFront-Viewer-Address Akamai-Origin-Hop X-Akamai-Edgescape Ali-CDN-Real-IP Incap-Client-IP
X-Sucuri-ClientIP X-Goog-IAP-JWT-Assertion Tailscale-User-Login Max-Forwards X-Coming-From
""".split()
# Headers that Chromium, Firefox and our own scripts send to this machine.
BROWSER_HEADERS = """
Accept Accept-Encoding Accept-Language Authorization Cache-Control Connection Content-Length
Content-Type Cookie DNT Origin Pragma Priority Referer Sec-CH-UA Sec-CH-UA-Mobile
Sec-CH-UA-Platform Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User Sec-GPC
Sec-WebSocket-Extensions Sec-WebSocket-Key Sec-WebSocket-Protocol Sec-WebSocket-Version
Upgrade Upgrade-Insecure-Requests User-Agent X-Requested-With X-Xsrftoken X-Request-ID
If-None-Match If-Modified-Since Range TE
""".split()


@pytest.mark.parametrize("name", PROXY_HEADERS)
@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_request_with_a_header_of_a_proxy_is_refused(name: str, scheme: str) -> None:
    answer = ask(LocalOnly, scheme=scheme, headers=[LOCAL, (name, "203.0.113.7")])
    assert (answer.status, answer.is_passed_on) == (403, False)


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_request_of_a_browser_on_this_machine_is_passed_on(scheme: str) -> None:
    headers = [LOCAL, *((name, "x") for name in BROWSER_HEADERS)]
    assert ask(LocalOnly, scheme=scheme, headers=headers).is_passed_on
