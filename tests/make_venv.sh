#!/bin/sh
# Makes the virtual environment in $1 with the Python that PYTHON names, else with the first one
# from 3.11 on that this machine has.
set -eu

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

for python in ${PYTHON:-python3.11 python3.12 python3.13 python3.14 python3 python}; do
    if is_new_enough "$python"; then
        if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            echo "$python has no venv module; trying to install it."
            version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
            sudo=$([ "$(id -u)" = 0 ] || echo "sudo -n")
            $sudo apt-get update -qq && $sudo apt-get install -y -qq "python$version-venv" || {
                echo "Could not. Install Python's venv module (Debian: python$version-venv)." >&2
                exit 1
            }
        fi
        exec "$python" -m venv "$1"
    fi
done
if [ -n "${PYTHON:-}" ]; then
    echo "$PYTHON is not Python 3.11 or newer." >&2
else
    echo "Order Desk needs Python 3.11 or newer. Install it, or name it: make run PYTHON=/path" >&2
fi
exit 1
