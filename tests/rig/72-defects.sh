#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# host: it starts machines of two releases of Debian, one after the other
# thorough: what it looks at is Xen's, and seldom changes
#
# A few scripts of tools/defects still tell what their table says.

set -uo pipefail

tests_dir=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
defects=$tests_dir/../../tools/defects
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
tests=0 failed=0

# What the table says: there or fixed.
verdict() { # NAME SUITE
    local column='\1'
    [[ $2 == bookworm ]] || column='\2'
    sed -n "s/^| \`$1\` | .* | \([a-z]*\) | \([a-z]*\) |\$/$column/p" \
        "$defects/README.md"
}

tells() { # NAME SUITE
    local expected status result='not ok'
    local -A words=([there]='1 the defect is there' [fixed]='0 fixed')
    expected=${words[$(verdict "$1" "$2")]}
    "$defects/$1" --suite "$2" > "$tmp/out" 2>&1 < /dev/null
    status=$?
    if [[ "$status $(tail -n 1 "$tmp/out")" == "$expected: "* ]]; then
        result=ok
    else
        failed=$((failed + 1))
        sed 's/^/# /' "$tmp/out"
    fi
    tests=$((tests + 1))
    echo "$result $tests - $1 on $2: $expected"
}

tells large-nodes bookworm
tells migrate-monitor trixie
tells pool-dump bookworm
echo "1..$tests"
((failed == 0))
