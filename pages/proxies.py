"""How a request is known that came through a proxy: by headers that no browser sends."""

# Each stands for a family: X-Forwarded-For and X-Forwarded, CF-Connecting-IP and CF-Ray.
_BEGINNINGS = (
    "x-forward",  # X-Forwarded-*, and X-Forward-For, as some spell it
    "x-original-",
    "x-envoy-",
    "x-proxy",
    "x-real-",
    "x-client-",
    "x-cluster-",
    "x-remote-",
    "x-appengine-",
    "x-azure-",
    "x-amzn-",
    "x-amz-cf-",
    "x-arr-",
    "x-vercel-",
    "x-nf-",
    "x-varnish",
    "x-nginx-",
    "x-cdn",
    "x-traefik-",
    "x-haproxy-",
    "x-sucuri-",
    "x-akamai-",
    "x-goog-iap-",
    "x-cloud-trace-",
    "akamai-",
    "ali-cdn-",
    "cdn-",
    "cf-",
    "cloudfront-",
    "fastly-",
    "fly-",
    "incap-",
    "true-client-",
    "proxy-client-",
    "wl-proxy-",
    "tailscale-",
)
_NAMES = {
    "forwarded",
    "forwarded-for",
    "via",
    "client-ip",
    "http-client-ip",
    "max-forwards",
    "x-host",
    "x-scheme",
    "x-rewrite-url",
    "x-coming-from",
    "x-connecting-ip",
    "x-source-ip",
    "x-user-ip",
    "x-http-host-override",
    "x-via",
    "z-forwarded-for",
}


def is_of_proxy(header: str) -> bool:
    """Say whether a header, by its name in lower case, tells that a proxy passed a request on."""
    return header in _NAMES or header.startswith(_BEGINNINGS)
