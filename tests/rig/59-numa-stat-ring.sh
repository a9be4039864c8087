# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology tests/rig/small-ring.topology
# thorough: 41 domains on 32 nodes
#
# xl numa-stat --pages where Xen's console ring does not hold the report.

. /root/lib.sh

# Made by xl, with a record of their memory; and in all.
recorded=6
number=40

table() {
    xl numa-stat --pages -o NAME,TOTAL,SOURCE > $out 2> $err
    echo $?
}

rows() { # PATTERN
    grep -c "^[gD][^ ]* .*$1" $out
}

# Bytes of the lines that Xen prints at least, with one digit for each number.
least_bytes() {
    echo $(((number + 1) * (36 + 32 * 24)))
}

rig-xen make $((number - recorded)) 8 g
for i in $(seq $((number - recorded + 1)) $number); do
    create idle "g$i" memory=8 || sed 's/^/# /' $err
done
ok "the ring does not hold the report" expect 1 rig-pages
is "$(table)" 1 "--pages fails, but shows what there is"
missing=$(rows ' ?$')
is $((missing + $(rows ' now$'))) $((number + 1)) "every domain has its row"
ok "the memory of some domains is known" test "$missing" -le $number
is "$(grep -c '^g.* 8 now$' $out) $(rows ' now$')" \
    "$(rows ' now$') $(rows ' now$')" \
    "the memory of known domains is complete, 8 MiB each"
ok "the memory of Domain-0, which is first in the report, is not known" \
    grep -q '^Domain-0  *[0-9][0-9]*  *?$' $out
ok "a line explains the ?" grep -q "^?: not in Xen's report" $out
size=$(sed -n 's/.*conring_size=\([0-9]*\)k$/\1/p' $err)
is "$(cat $err)" "xl: Xen's console ring is too small for its report: $missing \
of $((number + 1)) domains are missing: boot Xen with conring_size=${size}k" \
    "an error names the number of missing domains, and a size that is enough"
ok "${size}k is at least as large as the report" \
    test $((size * 1024)) -gt "$(least_bytes)"
ok "the size is not far too large" \
    test $((size * 1024)) -lt $(($(least_bytes) * 8))
is "$(xl numa-stat --pages --json 2> $err | json_lines |
    grep -c '^source:null$')" \
    "$missing" "in JSON the same are null"
xl numa-stat > $out 2> $err
is "$? $(grep -c '^g' $out) $(cat $err)" "0 $number " \
    "without --pages no guest is missing"
is "$(rows ' at build$')" $recorded \
    "without --pages the memory of our guests is known"
done_testing
