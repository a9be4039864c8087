# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node
# linux: a PV guest that can be saved
# thorough: a Linux guest boots, and guests move eight times
#
# xl numa-move: the memory of a running guest on other nodes, or the guest as it
# was and a line that says why.

. /root/lib.sh

# How often a console says so; a copy has its own name there.
says() { # TEXT
    cat /var/log/xen/console/guest-g*.log 2> /dev/null | grep -c "$1"
}

has_said() { # TEXT TIMES-BEFORE
    [ "$(says "$1")" -gt "$2" ]
}

moves() { # STATUS ARG...
    moves_status=$1
    shift
    xl numa-move "$@" > "$out" 2> "$err"
    is "$?" "$moves_status" "xl numa-move $* ends with status $moves_status" ||
        sed 's/^/# /' "$out" "$err"
}

one_line_says() { # TEXT
    ok "one line says: $1" sh -c "[ \$(grep -c ^xl: $err) = 1 ] && grep -q \"$1\" $err" ||
        sed 's/^/# /' "$err"
}

# Its counter of seconds goes on.
is_alive() {
    stock-xl vcpu-list g | awk 'NR == 2 { print $(NF - 3) }' > /tmp/time.now
    [ -s /tmp/time.before ] || cp /tmp/time.now /tmp/time.before
    [ "$(cat /tmp/time.now)" != "$(cat /tmp/time.before)" ]
}

live() { # FROM TO
    created idle-pvh g memory=200 "nodes=\"$1\""
    resumed=$(says resumed)
    old=$(domid g)
    moves 0 g "$2"
    is "$(nodes_of g)" "$2" "PVH: every page is on node $2"
    is "$(node_affinity g)" "$2" "xl list -n shows the node"
    is "$(affinity g)" "all / $(cpus_of "$2")" \
        "the vCPU prefers the CPUs of that node"
    ok "PVH: the guest continues to run" await 60 has_said resumed "$resumed"
    ok "PVH: the guest exists once" test "$(rig-xen domains | grep -c 'g$')" = 1
    ok "a line has the new number, the node and the pause" \
        grep -qE "^'g' is domain $(domid g) now: 200 MiB on node $2; it was \
paused for [0-9.]+ s\$" "$out"
    is "$(grep -Ev "^'g': [0-9]+ % copied(, [0-9]+ MiB/s)?(, [0-9]+ s left)?\$" "$err")" \
        "" "numa-move prints no other line"
    ok "numa-move prints on a terminal how much is copied" \
        grep -q "^'g': 100 % copied" "$err"
    ok "the moved guest reboots" stock-xl reboot g
    ok "the moved guest is a new domain after the reboot" await 60 is_new
    is "$(nodes_of g)" "$2" "the rebooted guest is on the node of the move"
}

is_new() {
    now=$(domid g)
    [ -n "$now" ] && [ "$now" != "$old" ] && [ -n "$(nodes_of g)" ]
}

# "KEY VALUE" of what numa-move --json printed, of these keys.
said_in_json() { # KEY|KEY...
    json_lines < "$out" | awk -F : -v keys="$1" '
        $1 ~ "^(" keys ")$" { print $1, $2 }'
}

several() { # NODE NODE
    old=$(domid g)
    moves 0 --json g "$1,$2"
    ok "a move to two nodes gives equal shares" shares_even g "$1" "$2"
    is "$(said_in_json 'id|previous_id|elsewhere_bytes')" "id $(domid g)
elsewhere_bytes 0
previous_id $old" "in JSON: which domain it is, and was"
    is "$(json_lines < "$out" | awk -F : '$1 == "bytes" { n += $2 }
        END { printf "%d\n", n / 1048576 }')" 200 "in JSON: all of its memory"
    moves 0 g
    is "$(nodes_of g | wc -w)" 1 "a move to auto puts the guest on one node"
}

paused() { # FROM TO
    remove g
    created pv g memory=128 "nodes=\"$1\""
    ok "PV: the guest runs" await 120 has_said GUEST-UP 0
    moves 1 --live g "$2"
    is "$(nodes_of g)" "$1" \
        "PV: the guest stays with --live if it cannot move live"
    moves 0 g "$2"
    one_line_says "cannot be moved live here: it is paused"
    is "$(nodes_of g)" "$2" "PV: every page is on node $2"
    rm -f /tmp/time.before
    ok "PV: the guest continues to run" await 60 is_alive
}

# Room for the guest, but not for a second one.
refused() { # NODE
    remove g
    created idle-pvh g memory=100
    here=$(nodes_of g)
    created idle ballast "nodes=\"$1\"" memory=$(($(usable_mib "$1") - 60))
    before=$(rig-free)
    old=$(domid g)
    moves 3 g "$1"
    one_line_says "'g' is not moved: its copy needs 10[0-9] MiB: node $1 \
has [0-9]* MiB free, [0-9]* MiB usable\$"
    is "$(domid g) $(nodes_of g)" "$old $here" \
        "the guest is as before a failed move"
    ok "the free memory is as before the failed move" free_within 64 "$before"
    remove ballast
}

# Nobody is there to copy the memory.
fails() { # NODE NODE
    [ "$1" != "$here" ] || shift
    mv "$xen_bin/libxl-save-helper" /tmp/helper
    moves 1 g "$1"
    mv /tmp/helper "$xen_bin/libxl-save-helper"
    ok "the last line says that the guest stays" sh -c \
        "tail -n 1 $err | grep -q \"^xl: 'g' could not be migrated, see above\""
    is "$(domid g) $(nodes_of g)" "$old $here" \
        "the guest is as before the interrupted move"
    ok "the guest is not paused" sh -c "stock-xl list g | grep -q -- '-b----'"
    ok "the guest reboots after an interrupted move" stock-xl reboot g
    ok "the guest is a new domain after that reboot" await 60 is_new
    is "$(nodes_of g)" "$here" \
        "the guest is not on the node of the interrupted move"
}

# The second of two that copy it at the same time; the first ends as if alone.
second() { # NODE NODE
    remove g
    created idle-pvh g memory=100 "nodes=\"$1\""
    old=$(domid g)
    xl numa-move g "$2" > /tmp/first 2>&1 &
    first=$!
    ok "a move begins" await 60 sh -c \
        'rig-xen domains | grep -q " g--incoming$"'
    moves 1 g "$1"
    one_line_says "'g' is being moved by another xl"
    xl save g /tmp/saved 2> "$err"
    is "$?" 1 "a save during a move fails"
    one_line_says "'g' is being moved, saved or migrated by another xl"
    ok "the failed save makes no file" test ! -e /tmp/saved
    xl migrate -s '' g 'xl migrate-receive' 2> "$err"
    is "$?" 1 "a migration during a move fails"
    one_line_says "'g' is being moved, saved or migrated by another xl"
    wait "$first"
    is "$?" 0 "the first ends as if alone" || sed 's/^/# /' /tmp/first
    is "$(nodes_of g)" "$2" "every page is on node $2"
}

user_paused() { # NODE
    stock-xl pause g
    moves 1 g "$1"
    one_line_says "'g' is paused, .*'xl unpause g'"
    stock-xl unpause g
}

# Its vCPU is bound elsewhere meanwhile.
advised() { # NODE NODE
    remove g
    created idle-pvh g memory=100
    here=$(nodes_of g)
    [ "$1" != "$here" ] || shift
    stock-xl vcpu-pin g 0 "$(cpus_of "$1")"
    xl numa-move --advise > "$out" 2> "$err"
    is "$? $(awk '$1 == "g" { print $4, $5 }' "$out")" "0 $here $1" \
        "--advise proposes a move from node $here to node $1, where the vCPU is"
    is "$(nodes_of g)" "$here" "--advise moves nothing"
    moves 0 g "$1"
    is "$(xl numa-move --advise 2> "$err")" \
        "no move would bring memory nearer to its vCPUs" \
        "--advise proposes nothing after the move"
    mib=$(($(free_mib "$1") + 20))
    xl numa-move --advise /root/idle.cfg "memory=$mib" "nodes=\"$1\"" \
        > "$out" 2> "$err"
    is "$? $(tail -n 1 "$out")" "3 no moves make room for 'idle' on one node" \
        "--advise does not move a guest off the node that it asked for"
    remove g
    created idle-pvh g memory=100
    other=$(nodes_of g)
    mib=$(($(free_mib "$other") + 20))
    xl numa-move --advise /root/idle.cfg "memory=$mib" "nodes=\"$other\"" \
        > "$out" 2> "$err"
    is "$? $(awk '$1 == "g" { print $4 }' "$out")" "0 $other" \
        "--advise moves a guest that asked for no node to make room"
}

wrong() {
    moves 1 g 9
    one_line_says "node 9 is not on this host: it has nodes 0-3"
    moves 1 g x
    one_line_says "wrong at offset 0"
    moves 1 nobody
    one_line_says "no domain 'nobody'"
    moves 1 0 1
    one_line_says "Domain-0 cannot be moved"
}

# shellcheck disable=SC2046 # words
set -- $(roomy 400)
live "$1" "$2"
several "$2" "$3"
paused "$1" "$3"
refused "$2"
fails "$3" "$2"
second "$1" "$2"
user_paused "$1"
advised "$1" "$2"
wrong
done_testing
