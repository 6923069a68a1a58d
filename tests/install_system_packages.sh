#!/bin/sh
# Makes sure that Chromium, a PostgreSQL server and Poppler, which draws PDFs, are on this machine;
# and, with the word “office”, LibreOffice's spreadsheets.
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

has_poppler() {
    command -v pdftoppm
}

has_office() {
    [ "$with" != office ] || command -v soffice
}

missing() {
    has_chromium >/dev/null 2>&1 || echo $browser
    has_postgresql >/dev/null 2>&1 || echo postgresql
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
    # Debian starts a cluster with the package; the tests run their own.
    $sudo apt-get update -qq &&
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $needed || true
elif command -v dnf >/dev/null; then
    $sudo dnf install -y $(echo "$needed" |
        sed 's/^postgresql$/postgresql-server/; s/-calc-nogui$/-calc/') || true
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
