# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2317 # what sources it calls them
#
# Moves that are interrupted at any moment: by a signal to the process that the
# user sees, to the one below it, to the process group, to all, or to the process
# that makes the copy. Afterwards the guest runs once, nothing of the move is
# left, and the guest reboots. Where all processes were killed, this is so after
# `xl numa-move --recover`.
#
#   interrupt_moves CONFIG NR       NR moves of a guest of 24 MiB

# shellcheck source=tests/rig/lib.sh
. /root/lib.sh

seed=$(awk 'BEGIN { srand(); print srand() }')
echo "# srand($seed)"

now_us() {
    awk '{ printf "%d\n", $1 * 1000000 }' /proc/uptime
}

timed_move() {
    began=$(now_us)
    xl numa-move g 2 > "$out" || return 1
    echo $(($(now_us) - began)) > /tmp/move_us
}

# How long a move takes, and for how much of that the guest is suspended. A host
# that is short of processors may keep libxl waiting for longer than it does.
measure() {
    ok "a move without an interruption succeeds" await 600 timed_move
    is "$(nodes_of g)" 2 "the guest is on the other node"
    move_us=$(cat /tmp/move_us)
    suspended_us=$(awk '/paused for/ { printf "%d\n", $(NF - 1) * 1000000 }' \
        "$out")
    echo "# a move takes $move_us us, $suspended_us us of it suspended"
}

# "SIGNAL WHO SUSPENDED MICROSECONDS": the kinds by turns, each as often before
# the guest has suspended itself as afterwards.
choose_moments() { # NR
    awk -v seed="$seed" -v n="$1" -v whole="${move_us:-10000000}" \
        -v suspended_us="${suspended_us:-1000000}" 'BEGIN {
        srand(seed)
        nr_signals = split("INT HUP TERM KILL", signals)
        nr_who = split("leader child group all receiver", who)
        kinds = nr_signals * nr_who
        first = int(rand() * 2 * kinds)
        for (i = 0; i < n; i++) {
            kind = (first + i * 7) % kinds
            suspended = int((first + i * 7) / kinds + i) % 2
            print signals[kind % nr_signals + 1],
                who[int(kind / nr_signals) + 1], suspended,
                int(rand() * (suspended ? suspended_us : whole))
        }
    }' > /tmp/interruptions
}

children_of() { # PID
    cat "/proc/$1/task/$1/children" 2> /dev/null
}

signal_all() { # SIGNAL PID
    for child in $(children_of "$2"); do
        signal_all "$1" "$child"
    done
    kill "-$1" "$2" 2> /dev/null
}

# To what runs below that process and was started by such a command: not to the
# receiver of the last move, which now waits in the background for the guest to
# reboot.
signal_below() { # SIGNAL PID PATTERN
    for child in $(children_of "$2"); do
        ! tr '\0' ' ' < "/proc/$child/cmdline" | grep -q -e "$3" ||
            kill "-$1" "$child"
        signal_below "$1" "$child" "$3"
    done 2> /dev/null
}

interrupt() { # SIGNAL WHO LEADER
    case $2 in
    leader) kill "-$1" "$3" ;;
    child) kill "-$1" "$(children_of "$3")" ;;
    group) kill "-$1" "-$3" ;;
    all) signal_all "$1" "$3" ;;
    receiver) signal_below "$1" "$3" '^[^ ]*xl migrate-receive' ;;
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

show_what_is_left() {
    { rig-xen domains
      cat "$out" "$err"
      ls -l /run/xen/numa-moves
      kinds_of_keys | grep -vxF -f /tmp/keys; } | sed 's/^/# /'
}

interrupted_move() { # SIGNAL WHO SUSPENDED MICROSECONDS
    what="$config: $1 to $2 $4 us after the $([ "$3" = 1 ] && echo suspension || echo start)"
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
    ok "$what: the move ends" await 600 nobody_moves
    [ "$1 $2" != "KILL all" ] || xl numa-move --recover g
    ok "the guest runs, once, and nothing is left (status $status)" \
        await 300 nothing_is_left || show_what_is_left
    where=$(nodes_of g)
    old=$(domid g)
    ok "the guest reboots after the killed moves" stock-xl reboot g
    ok "the guest is a new domain after the reboot" \
        await 300 lives_anew g "$old"
    is "$(nodes_of g)" "$where" "the guest is on the node where it was"
}

interrupt_moves() { # CONFIG NR
    config=$1
    created "$config" g memory=24 'nodes="1"'
    kinds_of_keys > /tmp/keys
    measure
    choose_moments "$2"
    before=$(total_free)
    while read -r signal who suspended moment; do
        interrupted_move "$signal" "$who" "$suspended" "$moment"
    done < /tmp/interruptions
    differs=$(($(total_free) - before))
    ok "$config: free memory is as before: $differs pages more" \
        test "${differs#-}" -le 512
    remove g
}
