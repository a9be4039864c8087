# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2317 # what sources it calls them
#
# A guest with virtual nodes that is saved, restored and moved: Linux, or one that
# idles.
#
#   boot MIB VCPUS VNODE... -- [KEY=VALUE...]
#                       creates v, fills some memory of each of its nodes; a VNODE
#                       is "FIRST END VCPUS DISTANCES", in MiB of its memory
#   vnodes_of           "1 2": the node of each of v's virtual nodes, by Xen's report
#   note_vnodes         writes FIRST END VCPUS of each of its ranges to /tmp/vnodes, by
#                       Xen's report
#   is_placed HOW NODES v's frames, affinities, and Xen's view, are as these nodes
#                       say
#   lives HOW NODES     the same, and the guest sees what it saw, and its memory is
#                       what it was
#   create_idle         creates v, which idles, with four virtual nodes
#   is_back HOW NODES   it runs, once, and is placed so

# shellcheck source=tests/rig/lib.sh
. /root/lib.sh

# Once, however often this is sourced: a second mount would hide what is saved.
if mkdir /tmp/saved 2> /dev/null; then
    mount -t tmpfs -o size=400m none /tmp/saved
fi

# Where a guest's words are while it is a copy, and after.
logs=/var/log/xen/console/guest-v

has_said() { # TEXT TIMES
    [ "$(cat "$logs"*.log 2> /dev/null | tr -d '\r' | grep -c "^$1")" -ge "$2" ]
}

how_often() { # TEXT
    cat "$logs"*.log 2> /dev/null | tr -d '\r' | grep -c "^$1"
}

# Types a word on its console, and waits for the answer.
ask() { # WORD ANSWER TIMES
    ask_before=$(how_often "$2")
    echo "$1" > "$(xenstore-read "/local/domain/$(domid v)/console/tty")"
    await 300 has_said "$2" $((ask_before + $3))
}

# The last that it said, in the log that it writes to now.
seen() {
    # shellcheck disable=SC2012 # names without blanks
    ls -t "$logs"*.log | head -n 1 | xargs cat | tr -d '\r' |
        sed -n 's/^GUEST-HAS \([0-9].*\)/\1/p' |
        tail -n "$(wc -l < /tmp/vnodes)" | sort
}

boot() {
    boot_mib=$1 boot_vcpus=$2
    shift 2
    : > /tmp/vnodes
    while [ "$1" != -- ]; do
        echo "$1" >> /tmp/vnodes
        shift
    done
    shift
    created hvm v memory="$boot_mib" vcpus="$boot_vcpus" "$@"
    ok "the Linux of the guest starts" await 600 has_said GUEST-UP 1
    ok "the guest fills some of its memory" ask "fill 8" GUEST-FILLED 1
    ok "the guest reports what it sees" ask nodes GUEST-HAS-SAID 1
    seen > /tmp/seen
    awk '{ print NR - 1, "cpus=" $3, "distances=" $4 }' /tmp/vnodes |
        tr ',' ' ' > /tmp/expected
    is "$(sed 's/ memory=.*//' /tmp/seen | tr ',' ' ')" "$(cat /tmp/expected)" \
        "the guest has these CPUs and distances"
}

# The block of a guest in Xen's report: virtual nodes, vCPUs and ranges.
report_of_vnodes() {
    rig-xen keys u | sed 's/^(XEN) *//' | awk '
        / vnodes, .*guest physical layout/ { inside = 1 }
        inside && !/^[0-9].* (vnodes|vcpus)|^[0-9]+: pnode|^[0-9a-f]+ - / {
            exit
        }
        inside { print }'
}

vnodes_of() {
    report_of_vnodes | sed -n 's/.*pnode *\([0-9]*\).*/\1/p' | one_line
}

note_vnodes() {
    report_of_vnodes | tr -d , | awk '
        function hex(text,    i, value) {
            for (i = 1; i <= length(text); i++)
                value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
            return value
        }
        $2 == "pnode" { vcpus = $NF }
        $2 == "-" { print hex($1) / 1048576, hex($3) / 1048576, vcpus }' \
        > /tmp/vnodes
    sed 's/^/# /' /tmp/vnodes
}

# Which nodes 64 frames are on, in the last two thirds.
frames_on() { # FIRST END
    rig-xen frames "$(domid v)" $(($1 + ($2 - $1) / 3)) $(($2 - 2)) 64 | one_line
}

# Without the nodes.
shape() {
    report_of_vnodes | sed 's/pnode *[0-9]*//'
}

is_placed() { # HOW NODES
    [ -s /tmp/shape ] || shape > /tmp/shape
    is "$(vnodes_of)" "$2" "$1: in Xen, virtual nodes are on nodes $2"
    is "$(shape)" "$(cat /tmp/shape)" \
        "$1: the virtual nodes have the same vCPUs and ranges"
    # shellcheck disable=SC2086 # words
    set -- "$1" $2
    placed_how=$1
    while read -r first end vcpus _; do
        shift
        is "$(frames_on "$first" "$end")" "$1" \
            "$placed_how: frames from $first to $end MiB are on node $1"
        is "$(affinity v "${vcpus%%-*}" | sed 's,.* / ,,')" "$(cpus_of "$1")" \
            "$placed_how: vCPU ${vcpus%%-*} prefers its CPUs"
    done < /tmp/vnodes
}

lives() { # HOW NODES
    ok "$1: the guest answers" ask nodes GUEST-HAS-SAID 1
    seen > /tmp/seen.now
    is "$(sed 's/ memory=.*//' /tmp/seen.now)" \
        "$(sed 's/ memory=.*//' /tmp/seen)" "$1: the guest sees the same nodes"
    ok "$1: the memory of the guest has the same contents" \
        ask check GUEST-INTACT "$(wc -l < /tmp/vnodes)"
    is "$(how_often GUEST-SPOILT)" 0 "$1: no frame of the memory has changed"
    is_placed "$1" "$2"
}

# ---- a guest that idles ----

there_is_one() {
    [ "$(rig-xen domains | awk '$2 > 0 { print $3, $4 }' | sed 's,^[r-] ,b ,')" = "b v" ]
}

is_back() { # HOW NODES
    ok "$1: the guest runs, once" await 60 there_is_one
    is_placed "$1" "$2"
}

create_idle() {
    created idle-hvm v memory=122 vcpus=5 'vnuma=[
        ["pnode=0","size=24","vcpus=0","vdistances=10,21,31,31"],
        ["pnode=1","size=36","vcpus=1-2","vdistances=21,10,31,31"],
        ["pnode=2","size=32","vcpus=3","vdistances=31,31,10,21"],
        ["pnode=3","size=30","vcpus=4","vdistances=31,31,21,10"]]'
    printf '%s\n' "0 24 0" "24 60 1-2" "60 92 3" "92 122 4" > /tmp/vnodes
}
