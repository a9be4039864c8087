#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# xl numa-top as plain text: --batch and --host, and wrong command lines.
# test-top has the screens and the keys, test-top-screen.sh a real terminal.
# shellcheck disable=SC2016 # a shell of its own expands it

numa=$(cd "${top_builddir:-.}" && pwd)/xl/xl-numa
top=$(cd "${top_srcdir:-.}" && pwd)
. "${top_srcdir:-.}/tests/unit/tap.sh"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
cp "$top/tests/hosts/rig-4node.json" home.json
# The same, but with the memory of "one" on node 3, away from its vCPUs.
sed 's/"nodes": \[ { "node": 1, "bytes": 67/"nodes": [ { "node": 3, "bytes": 67/' \
    home.json > away.json
LC_ALL=C.UTF-8 COLUMNS=80
export LC_ALL COLUMNS

batch() { # FILE [ARG...]
    batch_host=$1
    shift
    "$numa" numa-top --batch --host "$batch_host" "$@" > out 2> err
}

says() { # STATUS LINE ARG...
    status=$1 line=$2
    shift 2
    "$numa" numa-top "$@" < /dev/null > out 2> err
    same "$? $(cat out err)" "$status $line" "numa-top $*"
}

# --- text ---

# What a saved host does not have in the page: CPU time, and the key m.
batch away.json
sed 's/; saved$//; s/ move, node/ m: move, node/' out | cut -c1-52,61- > got
awk '/^    dom0, 2026/ { on = 1 } on && /^$/ { exit } on' \
    "$top/docs/xl-numa-top.1.pod" | sed 's/^    //; s/; every .*//
    s/ [ 0-9][0-9]\.[0-9] m:/    - m:/; s/ *[0-9]*\.[0-9]$/      -/' |
    cut -c1-52,61- > page
same "$(cut -c1-40 got)" "$(cut -c1-40 page)" \
    "the page is that of the manual page"
check "the remote domain comes first, is marked, and has what to do" \
    grep -q '^\*one .* 64 .* 0% .* 0% .* move, node 1 has room$' out
same "$(grep -c '^\*' out)" 1 "no other domain is marked"
batch home.json
same "$(sed -n 2p out)" "no domain is remote, of 3" \
    "a line says that all is local"
sed -E '/"node": 1, "total/s/"free_bytes": [0-9]+/"free_bytes": 1024/
    /"node": 1, "total/s/"(dma|reserved)_bytes": [0-9]+/"\1_bytes": 0/g' \
    away.json > full.json
batch full.json
check "a line says that the node has no room" \
    grep -q '^\*one .* node 1: no room$' out
sed '/"memory"/d' home.json > unknown.json
batch unknown.json
same "$(grep -c 'its memory is unknown' out)" 3 "unknown figures are shown as unknown"
LC_ALL=C batch away.json
check "the page is ASCII if the locale has no UTF-8" \
    sh -c '! LC_ALL=C grep -q "[^ -~]" out'

# --- names ---

sed 's/"name": "one"/"name": "\\u001b[31m\\u202e\\u0007\\n"/' away.json > hostile.json
batch hostile.json
check "control characters and marks of direction do not reach a terminal" \
    sh -c \
    '! LC_ALL=C grep -q "$(printf "[\001-\011\013-\037\177]")" out &&
     ! grep -q "$(printf "\342\200\256")" out'
same "$(wc -l < out)" 13 "a line end in a name does not reach a terminal"
long=$(printf '%0250d' 0)
sed "s/\"name\": \"one\"/\"name\": \"$long\"/" away.json > long.json
batch long.json
same "$(awk 'length > 80' out)" "" \
    "no line is too long with a name of 250 letters"
sed -n 's/^\*[^ ]*/*/p' out > long
batch away.json
same "$(cat long)" "$(sed -n 's/^\*one         /*/p' out)" \
    "no column moves with a name of 250 letters"

# --- the command line ---

says 2 "xl: numa-top: --count needs --batch: see 'xl numa-top --help'" -n 3
says 2 "xl: numa-top: --count takes a number from 1 to 1000000, not '0': see \
'xl numa-top --help'" --batch -n 0
says 2 "xl: numa-top: --delay takes seconds from 0.1 to 86400, not '1s': see \
'xl numa-top --help'" -d 1s
says 2 "xl: numa-top: --delay and --pages need the running host: see \
'xl numa-top --help'" --host home.json --pages
says 2 "xl: numa-top: unknown option '--wrong': see 'xl numa-top --help'" --wrong
says 2 "xl: numa-top: one argument too many: 'web': see 'xl numa-top --help'" web
says 1 "xl: none.json: No such file or directory" --host none.json
says 1 "xl: numa-top: stdin and stdout have to be a terminal: use --batch" \
    --host home.json
if [ ! -e /dev/xen/privcmd ]; then
    says 1 "xl: cannot open '/dev/xen/privcmd': No such file or directory: \
expected root in dom0, or a saved host: --host FILE" --batch
fi
"$numa" numa-top --batch --host home.json > /dev/full 2> err
same "$? $(cat err)" "1 xl: cannot write the output: No space left on device" \
    "a full disk is reported"

finish
