#!/bin/sh
# Makes sure that Chromium, a PostgreSQL server, PgBouncer, nginx, haproxy, Prometheus's promtool,
# systemd's checker of units, and Poppler, which draws PDFs, are on this machine; and, with the word
# “office”, LibreOffice's spreadsheets.
set -eu

# Debian has Chromium's engine alone, with which a tab opens faster; elsewhere a whole one will do.
shell=chromium-headless-shell
browser=chromium
if grep -qx 'ID=debian' /etc/os-release 2>/dev/null; then
    browser=$shell
fi
with=${1:-}

has_chromium() {
    command -v $shell || command -v chromium || command -v chromium-browser || command -v google-chrome
}

has_postgresql() {
    command -v initdb || ls /usr/lib/postgresql/*/bin/initdb /usr/libexec/postgresql*/initdb
}

has_pgbouncer() {
    command -v pgbouncer || ls /usr/sbin/pgbouncer
}

has_nginx() {
    command -v nginx || ls /usr/sbin/nginx
}

has_haproxy() {
    command -v haproxy || ls /usr/sbin/haproxy
}

has_promtool() {
    command -v promtool
}

# It checks the units of deploy/. Systems without systemd have no package of it.
has_systemd() {
    command -v systemd-analyze || command -v apk || command -v brew
}

has_poppler() {
    command -v pdftoppm
}

has_office() {
    [ "$with" != office ] || command -v soffice
}

missing() {
    has_chromium >/dev/null 2>&1 || echo $browser
    has_postgresql >/dev/null 2>&1 || echo postgresql
    has_pgbouncer >/dev/null 2>&1 || echo pgbouncer
    has_nginx >/dev/null 2>&1 || echo nginx
    has_haproxy >/dev/null 2>&1 || echo haproxy
    has_promtool >/dev/null 2>&1 || echo prometheus
    has_systemd >/dev/null 2>&1 || echo systemd
    has_poppler >/dev/null 2>&1 || echo poppler-utils
    has_office >/dev/null 2>&1 || echo libreoffice-calc-nogui
}

needed=$(missing)
if [ $browser = $shell ] && ! command -v $shell >/dev/null; then
    needed="$needed $shell"
fi
[ -n "$needed" ] || exit 0

sudo=$([ "$(id -u)" = 0 ] || echo "sudo -n")
echo "Installing for the tests:" $needed
if command -v apt-get >/dev/null; then
    # Debian starts what it installs, for everybody to reach: not here, the tests run their own.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null && $sudo chmod 755 $policy
        trap '$sudo rm -f $policy' EXIT
    fi
    $sudo apt-get update -qq &&
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $needed || true
    for service in nginx haproxy pgbouncer prometheus prometheus-node-exporter; do
        case "$needed" in *${service%%-*}*) $sudo systemctl disable -q $service 2>/dev/null || true ;; esac
    done
elif command -v dnf >/dev/null; then
    $sudo dnf install -y $(echo "$needed" |
        sed 's/^postgresql$/postgresql-server/; s/-calc-nogui$/-calc/
            s/^prometheus$/golang-github-prometheus/') || true
elif command -v apk >/dev/null; then
    $sudo apk add $(echo "$needed" | sed 's/-calc-nogui$/-calc/') || true
elif command -v pacman >/dev/null; then
    $sudo pacman -S --noconfirm $(echo "$needed" |
        sed 's/^poppler-utils$/poppler/; s/-calc-nogui$/-fresh/') || true
elif command -v brew >/dev/null; then
    brew install $(echo "$needed" |
        sed 's/^poppler-utils$/poppler/; s/-calc-nogui$//') || true
fi

needed=$(missing)
if [ -n "$needed" ]; then
    echo "The tests need these programs, and they could not be installed here:" $needed >&2
    echo "Install them with this machine's package manager, then run make test again." >&2
    exit 1
fi
