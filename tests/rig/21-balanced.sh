# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node
# long: spinning guests leave the emulated machine little for anything else
#
# Small busy guests: best fit puts all on one node, balanced on as many as
# there are, also when they are created at once.

. /root/lib.sh

# "0 0 0 0": the node of each of the guests.
homes() { # NAME...
    take_report
    for guest; do
        nodes_of "$guest"
    done | one_line
    report=''
}

four_guests() { # KEY...
    for guest in a b c d; do
        created spin $guest memory=48 vcpus=1 "$@"
    done
    # shellcheck disable=SC2046 # words
    set -- $(homes a b c d)
    echo "# nodes $*"
    nr_nodes=$(printf '%s\n' "$@" | sort -u | wc -l)
}

at_once() {
    for number in 1 2 3 4 5 6 7 8; do
        xl create /root/idle.cfg "name=\"g$number\"" memory=32 \
            > "/tmp/out.$number" 2>&1 || echo "$number" >> /tmp/failed &
    done
    wait
    homes g1 g2 g3 g4 g5 g6 g7 g8 | tr ' ' '\n' | sort | uniq -c |
        awk '{ print $1 }'
}

four_guests 'nodes_policy="best"'
is "$nr_nodes" 1 "best fit puts four spinning guests on one node"
remove a b c d
four_guests
is "$nr_nodes" 4 \
    "the default, balanced, puts each of four spinning guests on its own node"
for guest in a b c d; do
    # shellcheck disable=SC2046 # words
    is "$(affinity $guest)" "all / $(cpus_of $(nodes_of $guest))" \
        "$guest prefers the CPUs of its node"
done
remove a b c d
rm -f /tmp/failed
at_once > /tmp/counts
sed 's/^/# on a node: /' /tmp/counts
ok "eight simultaneous creates use all nodes, with at most three on one" awk '
    { nr++; bad += $1 > 3 } END { exit nr != 4 || bad }' /tmp/counts
ok "none of the eight creates failed" test ! -e /tmp/failed
done_testing
