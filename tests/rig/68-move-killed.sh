# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node
#
# Moves that are interrupted at any moment: by a signal to the process that the
# user sees, to the one below it, to the process group or to all; afterwards,
# where all were killed after `xl numa-move --recover`, the guest runs once,
# nothing of the move is left, and the guest reboots. A hundred with 100 as the
# argument.

. /root/lib.sh

cycles=${1:-3}
seed=$(awk 'BEGIN { srand(); print srand() }')
echo "# srand($seed)"

# "SIGNAL WHO SUSPENDED MICROSECONDS": of each kind as many, in any order; every
# second one after the guest has suspended itself.
awk -v seed="$seed" -v n="$cycles" 'BEGIN {
    srand(seed)
    split("INT HUP TERM KILL", signals)
    split("leader child group all", who)
    first = int(rand() * 16)
    for (i = 0; i < n; i++) {
        kind = (first + i * 5) % 16
        suspended = i % 2
        print signals[int(kind / 4) + 1], who[kind % 4 + 1], suspended,
            int(rand() * (suspended ? 300000 : 4000000))
    }
}' > /tmp/interruptions

children_of() { # PID
    cat "/proc/$1/task/$1/children" 2> /dev/null
}

signal_all() { # SIGNAL PID
    for child in $(children_of "$2"); do
        signal_all "$1" "$child"
    done
    kill "-$1" "$2" 2> /dev/null
}

interrupt() { # SIGNAL WHO LEADER
    case $2 in
    leader) kill "-$1" "$3" ;;
    child) kill "-$1" "$(children_of "$3")" ;;
    group) kill "-$1" "-$3" ;;
    all) signal_all "$1" "$3" ;;
    esac 2> /dev/null
}

# Of the move; monitors, which wait in the background, have sessions of their
# own.
nobody_moves() {
    ! cat /proc/[0-9]*/cmdline 2> /dev/null | tr '\0' ' ' |
        grep -q -e 'numa-move' -e 'migrate -s' -e --save-domain \
            -e --restore-domain
}

runs_once() {
    [ "$(rig-xen domains | awk '$2 > 0 { print $3, $4 }' |
        tr 'r-' 'bb')" = "b g" ]
}

# Without the numbers of domains.
kinds_of_keys() {
    xenstore_keys | sed 's/[0-9]//g' | sort -u
}

total_free() {
    rig-free | awk '{ sum += $2 } END { print sum }'
}

nothing_is_left() {
    runs_once && ! kinds_of_keys | grep -qvxF -f /tmp/keys &&
        [ -z "$(find /run/xen/numa-moves -name 'move-*')" ] &&
        ! xl numa-info 2>&1 | grep interrupted
}

one() { # SIGNAL WHO SUSPENDED MICROSECONDS
    what="$1 to $2 $4 us after the $([ "$3" = 1 ] && echo suspension || echo start)"
    old=$(domid g)
    here=$(nodes_of g)
    there=$((here == 1 ? 2 : 1))
    setsid xl numa-move g $there > "$out" 2> "$err" &
    leader=$!
    if [ "$3" = 1 ]; then
        rig-xen until "$old" s "$4"
    else
        usleep "$4"
    fi
    interrupt "$1" "$2" $leader
    wait $leader 2> /dev/null
    status=$?
    ok "$what: the move ends" await 120 nobody_moves
    [ "$1 $2" != "KILL all" ] || xl numa-move --recover g
    ok "the guest runs, once, and nothing is left (status $status)" \
        await 30 nothing_is_left ||
        { rig-xen domains; cat "$out" "$err"; ls -l /run/xen/numa-moves
          kinds_of_keys | grep -vxF -f /tmp/keys; } | sed 's/^/# /'
    where=$(nodes_of g)
    old=$(domid g)
    ok "it reboots" stock-xl reboot g
    ok "into a new domain" await 60 lives_anew g "$old"
    is "$(nodes_of g)" "$where" "on the node where it was"
}

created idle-pvh g memory=24 'nodes="1"'
kinds_of_keys > /tmp/keys
before=$(total_free)
while read -r signal who suspended moment; do
    one "$signal" "$who" "$suspended" "$moment"
done < /tmp/interruptions
differs=$(($(total_free) - before))
ok "free memory is as before: $differs pages more" \
    test "${differs#-}" -le 512
done_testing
