#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# xl numa-plan --optimise: how many domains its order places, and on how many
# nodes each. tools/bench/optimise compares that with a solver's bound.

numa=$(cd "${top_builddir:-.}" && pwd)/xl/xl-numa
awk=$(cd "${top_srcdir:-.}" && pwd)/tests/unit/large-host.awk
. "${top_srcdir:-.}/tests/unit/tap.sh"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

# Nodes with 9 GiB free, four near each other.
awk -v nodes=2 -v cpus=8 -v domains=0 -v vcpus=1 -f "$awk" > two.json
awk -v nodes=8 -v cpus=16 -v domains=0 -v vcpus=1 -f "$awk" > eight.json

guest() { # NAME MIB [LINE]
    printf 'name = "%s"\ntype = "pvh"\nmemory = %d\n%s\n' "$1" "$2" "${3:-}" \
        > "$1.cfg"
}

# "NAME NODES" of each that is placed, in the order of the plan.
nodes() { # HOST ARG...
    "$numa" numa-plan --host "$@" 2> /dev/null |
        sed -n 's/^\([^:]*\): .*: memory from nodes\{0,1\} \([^, ]*\).*/\1 \2/p'
}

# How many are placed, and how many of these on several nodes.
count() { # HOST ARG...
    nodes "$@" | awk '$2 ~ /[^0-9]/ { several++ } END { print NR, several + 0 }'
}

# --- few ---

for i in 1 2 3 4; do guest "m$i" 3400; done
for i in 1 2; do guest "b$i" 7900; done
same "$(count two.json --optimise b1.cfg b2.cfg m1.cfg m2.cfg m3.cfg m4.cfg)" \
    "4 0" "four small domains are placed, not two large ones, and none is split"
same "$(count two.json --optimise m1.cfg b1.cfg m2.cfg b2.cfg m3.cfg m4.cfg)" \
    "4 0" "the given order makes no difference"

guest huge 60000
guest half 4600
guest rest 4500
same "$(nodes two.json --optimise huge.cfg b1.cfg half.cfg rest.cfg | sort |
        cut -d ' ' -f 1 | paste -s -d ' ')" "b1 half rest" \
    "one that no order places keeps no other from its node"
guest any 5000
guest bound 4600 'cpus = "0-7"'
guest strict 4100 'nodes = "1"; nodes_mode = "strict"'
same "$(nodes two.json --optimise any.cfg bound.cfg strict.cfg | sort |
        paste -s -d ' ')" "any 1 bound 0 strict 1" \
    "those that have one node only come before those that have two"

# --- many ---

mkdir many
i=0
while [ $i -lt 100 ]; do
    i=$((i + 1))
    name=g$(printf %03d $i)
    guest "$name" $((200 + (i * 7919 % 13) * (i * 104729 % 11) * 30))
    mv "$name.cfg" many
done
small_first() {
    for file in many/*.cfg; do
        echo "$(sed -n 's/^memory = //p' "$file") $file"
    done | sort -n | cut -d ' ' -f 2
}
given=$(count eight.json many/*.cfg)
# shellcheck disable=SC2046 # a word for each file
ascending=$(count eight.json $(small_first))
optimised=$(count eight.json --optimise many/*.cfg)
echo "# placed and split: $given; $ascending, smallest first; $optimised"
check "more domains fit than in the given order" \
    test "${optimised% *}" -gt "${given% *}"
check "at least as many of a hundred domains fit as from the smallest up" \
    test "${optimised% *}" -ge "${ascending% *}"
check "none of these domains is split" test "${optimised#* }" -eq 0

"$numa" numa-plan --host eight.json --optimise many/*.cfg > first
"$numa" numa-plan --host eight.json --optimise many/*.cfg > second
check "a second run prints the same bytes" cmp -s first second

finish
