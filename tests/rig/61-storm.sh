# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 8node --timeout 1800
# alone: libxl gives each of the guests ten seconds for its console
# long: thirty creates, and as many of the installed xl's beside them
#
# Thirty creates at once on eight nodes that they fill but for 32 MiB each: all
# run, each guest on one node.

. /root/lib.sh

nr=30

# What xl and Xen need beside a guest's memory, at most.
overhead=4

# Four guests fit on a node, on two of them three.
leave_room() {
    room=$(usable_list | awk '{ mib = int($2 / 256) }
        NR == 1 || mib < least { least = mib } END { print least }')
    mib=$(((room - 32) / 4 - overhead))
    three=$(cpu_nodes | cut -d ' ' -f 1-2)
    usable_list | while read -r node pages _; do
        ballast=$((pages / 256 - room - overhead))
        case " $three " in
        *" $node "*) ballast=$((ballast + mib + overhead)) ;;
        esac
        [ $ballast -lt 4 ] ||
            create idle "ballast$node" "nodes=\"$node\"" memory=$ballast
    done
}

# "3 3 4 4 4 4 4 4": guests on each node.
counts() {
    awk '{ n[$2]++ } END { for (node in n) print n[node] }' /tmp/pages |
        sort -n | one_line
}

leave_room
echo "# $nr guests of $mib MiB on $(nodes | wc -w) nodes"
all_at_once xl $nr "$mib"
is "$(failures $nr)" "" "thirty simultaneous creates all succeed"
is "$(wc -l < /tmp/pages)" $nr "every guest is on one node"
is "$(counts)" "3 3 4 4 4 4 4 4" "each node has as many guests as fit"
is "$(xl numa-info -o NODE,RESERVED 2> /dev/null |
    awk 'NR > 1 { sum += $2 } END { print sum }')" 0 "no reservation is left"
for number in $(seq $nr); do
    stock-xl destroy "g$number" 2> "$err"
done
await 60 nothing_dies

all_at_once stock-xl $nr "$mib"
echo "# stock beside it: $(grep -vc '^0$' /tmp/status.* | awk -F: '
    { n += $2 } END { print n }') failed, $(wc -l < /tmp/pages) parts of guests"
done_testing
