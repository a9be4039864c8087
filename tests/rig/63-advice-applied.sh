# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/killed-moves.sh disable=SC2317
# rig: --topology 4node --put tests/rig/killed-moves.sh:/root/killed-moves.sh
# thorough: guests move a score of times
#
# xl numa-move --advise --apply: what is remote becomes local, within the limits;
# nothing else is moved; and whatever interrupts it, every guest runs.

. /root/killed-moves.sh

applies() { # STATUS ARG...
    applies_status=$1
    shift
    xl numa-move --advise --apply "$@" > "$out" 2> "$err"
    is "$?" "$applies_status" "--apply $* ends with status $applies_status" ||
        sed 's/^/# /' "$out" "$err"
}

says() { # FILE LINE
    ok "--apply prints: $2" grep -qxE "$2" "$1" || sed 's/^/# /' "$1"
}

# Its vCPU is bound to a node that has none of its memory: "NODE" in $there.
bind_away() { # NAME
    bind_here=$(nodes_of "$1")
    for there in $(roomy 200); do
        [ "$there" = "$bind_here" ] || break
    done
    stock-xl vcpu-pin "$1" 0 "$(cpus_of "$there")"
}

# "NAME DOMID NODES" of each guest.
where() {
    for where_name; do
        echo "$where_name $(domid "$where_name") $(nodes_of "$where_name")"
    done
}

healed() {
    ok "a local guest is created" created idle-pvh still memory=40
    ok "two more guests are created" created idle-pvh a memory=60
    ok "the two guests are remote" created idle-pvh b memory=80
    bind_away a
    to_a=$there
    bind_away b
    to_b=$there
    was=$(where still)
    xl -N numa-move --advise --apply > "$out" 2> "$err"
    is "$? $(awk '$1 == "a" || $1 == "b" { print $1, $5 }' "$out" | sort |
        one_line)" "0 a b" "-N: the table of moves" || sed 's/^/# /' "$out" "$err"
    is "$(domid a) $(domid b)" "$(awk '
        $1 == "a" { a = $2 } $1 == "b" { b = $2 } END { print a, b }' "$out")" \
        "and nothing is moved"
    before=$(total_free)
    applies 0
    is "$(nodes_of a) $(nodes_of b)" "$to_a $to_b" \
        "every page of both is with their vCPUs"
    is "$(where still)" "$was" "nothing else was moved"
    says "$out" "'a' is domain $(domid a) now: 60 MiB on node $to_a; it was paused for [0-9.]+ s"
    says "$out" "2 domains were moved: 140 MiB"
    says "$out" "no move would bring memory nearer to its vCPUs"
    says "$err" "'a': 100 % copied.*"
    says "$err" "'b': 100 % copied.*"
    differs=$(($(total_free) - before))
    ok "free memory is as before: $differs pages more" \
        test "${differs#-}" -le 512
    applies 0
    is "$(cat "$out")" "no move would bring memory nearer to its vCPUs" \
        "a second run says that nothing is to do"
    bind_away a
    applies 0
    is "$(nodes_of a)" "$there" \
        "a guest that left the choice to xl is moved whenever that helps"
}

within_limits() {
    bind_away a
    to_a=$there
    bind_away b
    was=$(where b)
    applies 0 --max-copy=0.1
    says "$err" "xl: 'b' stays where it is: it has 80 MiB, and the limit leaves [0-9]* MiB to copy"
    is "$(nodes_of a)" "$to_a" "--max-copy moves the guest that fits"
    is "$(where b)" "$was" "--max-copy does not move the other guest"
    says "$out" "1 domain was moved: 60 MiB"
    applies 1 --max-pause=0.01
    says "$err" "xl: 'b' was paused for longer than 0.01 s: the move was stopped, it \(domain $(domid b)\) runs on where it was"
    is "$(where b)" "$was" "--max-pause leaves the guest where it was"
    ok "the guest runs after --max-pause" await 60 all_run b
}

all_run() { # NAME...
    for all_run_name; do
        rig-xen domains | awk -v name="$all_run_name" '
            $NF == name { nr++; bad += $3 !~ /^[br-]+$/ }
            END { exit nr != 1 || bad }' || return 1
    done
}

# Neither a PV guest, which this Xen cannot move live, nor one that is paused.
left() {
    created idle pv memory=40
    bind_away pv
    was=$(where pv b)
    stock-xl pause b
    applies 0
    says "$err" "xl: 'pv' stays where it is: this Xen cannot move PV domains live"
    says "$err" "xl: 'b' stays where it is: it is paused"
    is "$(where pv b)" "$was" "both guests are where they were"
    stock-xl unpause b
    remove pv
}

saver_is_held() {
    # shellcheck disable=SC2013 # a path has no blanks
    for saver in $(grep -l -e --save-domain /proc/[0-9]*/cmdline 2> /dev/null)
    do
        grep -q '^State:.T' "${saver%cmdline}status" && return
    done 2> /dev/null
    return 1
}

# What copies is stopped for a while, and goes on.
holds_back() {
    bind_away a
    begin_run --max-cpu=50
    ok "--max-cpu stops the copying process for a while" await 300 saver_is_held
    end_run 0
    is "$(nodes_of a)" "$there" "the guest is moved with --max-cpu"
    ok "the guest runs after --max-cpu" await 60 all_run a
    echo "# $(grep paused "$out")"
}

in_json() {
    bind_away a
    old=$(domid a)
    applies 0 --json
    is "$(json_lines < "$out" | awk -F : '
        $1 == "previous_id" || $1 == "id" { print $1, $2 }')" "id $(domid a)
previous_id $old" "--json: the domain as it is now"
}

moves_one() {
    rig-xen domains | grep -q -e '--incoming$'
}

begin_run() { # ARG...
    setsid xl numa-move --advise --apply "$@" > "$out" 2> "$err" &
    leader=$!
    ok "a run begins to move" await 300 moves_one
}

end_run() { # STATUS
    wait $leader
    is "$?" "$1" "the run ends with status $1" || sed 's/^/# /' "$out" "$err"
}

second_run() {
    begin_run
    xl numa-move --advise --apply > /tmp/second 2>&1
    is "$? $(cat /tmp/second)" "1 xl: another 'xl numa-move --advise --apply' \
moves domains: nothing was done" "a second run reports the first one and ends"
    end_run 0
}

# Somebody binds another guest, and takes a CPU out of the pool.
host_changes() {
    bind_away a
    bind_away b
    begin_run
    stock-xl vcpu-pin still 0 all 0
    end_run 0
    says "$err" "xl: while '[ab]' was moved, the host changed: the CPU affinity of 'still' was changed: the next moves are planned anew"
    says "$out" "2 domains were moved: 140 MiB"
    bind_away a
    bind_away b
    last=$(cpu_list | awk 'END { print $1 }')
    stock-xl vcpu-pin still 0 all all
    begin_run
    stock-xl cpupool-cpu-remove Pool-0 "$last"
    end_run 1
    says "$err" "xl: stopped: while '[ab]' was moved, the host changed: cpupool 0 has other CPUs.*"
    says "$out" "1 domain was moved: [68]0 MiB"
    stock-xl cpupool-cpu-add Pool-0 "$last"
}

# With all of its processes.
killed() {
    signal_all KILL $leader
    wait $leader 2> /dev/null
    ok "a run that is killed ends" await 60 nobody_moves_on
    xl numa-move --recover 2> "$err"
    is "$?" 0 "xl numa-move --recover: status 0" || sed 's/^/# /' "$err"
    ok "every guest runs" await 60 all_run a b still || rig-xen domains
    is "$(find /run/xen/numa-moves -name 'move-*')" "" \
        "nothing of the move is left"
    ok "no process of the move is left" nobody_moves
}

interrupted() {
    bind_away a
    bind_away b
    begin_run
    kill -INT $leader
    end_run 1
    says "$err" "xl: stopped: no more domains are moved"
    ok "every guest runs" await 60 all_run a b still
    begin_run
    killed
    begin_run --max-cpu=50
    ok "the copying process is stopped for a while" await 300 saver_is_held
    killed
    applies 0
    ok "the next run moves what is left" sh -c \
        "grep -qx '[12] domains* w[aer]*e* moved.*' $out" || sed 's/^/# /' "$out"
}

nobody_moves_on() {
    ! cat /proc/[0-9]*/cmdline 2> /dev/null | tr '\0' ' ' |
        grep -q -e 'numa-move --advise'
}

# Room on the node of `a`, for one that takes most of it.
room() {
    remove a b still
    created idle-pvh a memory=100
    here=$(nodes_of a)
    mib=$(($(free_mib "$here") + 20))
    applies 3 --max-copy=0.05 /root/idle.cfg "memory=$mib" "nodes=\"$here\""
    says "$err" "xl: no domain is moved: the moves that make room for 'idle' copy 100 MiB, and the limit leaves 51 MiB"
    is "$(nodes_of a)" "$here" \
        "nothing is moved if the limit does not allow the room"
    applies 0 /root/idle.cfg "memory=$mib" "nodes=\"$here\""
    ok "a guest is moved to make room for a domain" \
        test "$(nodes_of a)" != "$here"
    says "$out" "'idle' fits on node $here"
    ok "the domain is created" created idle idle "memory=$mib" \
        "nodes=\"$here\"" 'nodes_mode="strict"'
}

healed
within_limits
left
second_run
holds_back
in_json
host_changes
interrupted
room
done_testing
