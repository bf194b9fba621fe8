#!/bin/sh
# Brings what is not ours and lies in this repository to the versions named here: npm fetches the packages, only the files
# that are used are kept, each with its licence, and SHA256SUMS says what must be there. To update: change a version, run this.
#
#   reports/vendor/update.sh            fetch and replace
#   reports/vendor/update.sh --check    only compare what lies here with its sums (no network)
set -eu

formatter=24.2.0 # @cucumber/html-formatter: makes scenarios.html out of Cucumber Messages
axe=4.14.1       # axe-core: looks for what keeps people out of a page, in tests only

here=$(cd "$(dirname "$0")" && pwd)
tests=$(cd "$here/../.." && pwd)/tests/pages/vendor

if [ "${1:-}" = --check ]; then
    for folder in "$here/cucumber-html-formatter" "$tests/axe-core"; do
        (cd "$folder" && sha256sum --quiet --check SHA256SUMS)
    done
    exit 0
fi
command -v npm >/dev/null 2>&1 || { echo "update: npm is needed (Debian: apt-get install npm)" >&2; exit 1; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# take PACKAGE VERSION FOLDER FILE...
take() {
    package=$1 version=$2 folder=$3
    shift 3
    (cd "$scratch" && rm -rf package && tar -xzf "$(npm pack --silent "$package@$version")")
    mkdir -p "$folder"
    for file; do cp "$scratch/package/$file" "$folder/$(basename "$file")"; done
    chmod 0644 "$folder"/*
    echo "$package $version" > "$folder/VERSION"
    (cd "$folder" && sha256sum VERSION $(for file; do basename "$file"; done) > SHA256SUMS)
    echo "update: $package $version in $folder"
}

take @cucumber/html-formatter "$formatter" "$here/cucumber-html-formatter" \
    dist/main.js dist/main.css dist/main.js.LICENSE.txt src/index.mustache src/icon.url LICENSE
take axe-core "$axe" "$tests/axe-core" axe.min.js LICENSE LICENSE-3RD-PARTY.txt
