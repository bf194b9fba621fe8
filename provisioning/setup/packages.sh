#!/bin/sh
# Installs the system packages that the embedded lab needs, only those that are missing. POSIX sh, as nothing is installed yet.
# With --browser only the browser, in which tests look at the pages: for developing, nobody who runs the suite needs it.
set -eu

record=/var/lib/tofu-ha-acceptance/system-packages
wanted="systemd-container mmdebstrap debian-archive-keyring iproute2 openssh-client ca-certificates"
purpose=lab
if [ "${1:-}" = --browser ]; then
    wanted=chromium purpose=browser
fi

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "set-up: this is neither Debian nor Ubuntu; install by hand what corresponds to: $wanted" >&2
    exit 0
fi
# A Python that can make virtual environments, unless there is one already (Debian splits it off).
[ "$purpose" = browser ] || "${PYTHON:-python3}" -c 'import ensurepip' 2>/dev/null || wanted="$wanted python3-venv"

missing=""
for package in $wanted; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=missing
    [ "$status" = installed ] || missing="$missing $package"
done

if [ "$purpose" = browser ] && [ -z "$missing" ]; then
    exit 0
elif [ "$purpose" = browser ] && [ "$(id -u)" -ne 0 ]; then
    echo "set-up: root is needed to install the browser for tests/pages (apt-get install$missing); everything else can be tested without it." >&2
    exit 1
elif [ "$(id -u)" -ne 0 ]; then
    echo "set-up: root is needed for the embedded lab (system packages${missing:+:$missing}, machine image, network namespaces, containers)." \
        "An existing lab needs none of it: \`make venv\`, then \`.venv/bin/pytest features/ --lab my-lab.toml\`." >&2
    exit 1
fi
[ -n "$missing" ] || exit 0

echo "set-up: installing system packages:$missing"
export DEBIAN_FRONTEND=noninteractive
if ! apt-get -q update; then
    echo "set-up: the package registry could not be reached (step: apt-get update). Run \`make setup\` again when the network is back." >&2
    exit 1
fi
# shellcheck disable=SC2086 # a list of words on purpose
if ! apt-get -q install --yes --no-install-recommends $missing; then
    echo "set-up: system packages could not be installed (step: apt-get install$missing). Run \`make setup\` again: it resumes there." >&2
    exit 1
fi
mkdir -p "$(dirname "$record")"
# shellcheck disable=SC2086
printf '%s\n' $missing >> "$record"
