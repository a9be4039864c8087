# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node
# linux: of the PV guests only it can be saved
# thorough: a Linux guest boots, and guests are saved eleven times
#
# A guest that is saved and restored, or migrates, gets its memory where it was
# asked for, page for page, on the host as it is then.

. /root/lib.sh

mkdir /tmp/saved
mount -t tmpfs -o size=300m none /tmp/saved

# How often a console says so: that of the next guest of this name goes on, and
# one that migrates in is g--incoming first.
says() { # TEXT
    cat /var/log/xen/console/guest-g*.log 2> /dev/null | grep -c "$1"
}

has_said() { # TEXT TIMES-BEFORE
    [ "$(says "$1")" -gt "$2" ]
}

boot() { # CONFIG TEXT KEY=VALUE...
    boot_config=$1 boot_text=$2
    before=$(says "$boot_text")
    shift 2
    created "$boot_config" g memory=128 vcpus=1 "$@" &&
        await 120 has_said "$boot_text" "$before"
}

boot_pv() {
    boot pv GUEST-UP "$@"
}

boot_pvh() {
    says resumed > /tmp/resumed
    boot idle-pvh "idle: up" "$@"
}

# Its counter of seconds goes on.
is_alive() {
    stock-xl vcpu-list g | awk 'NR == 2 { print $(NF - 3) }' > /tmp/time.now
    [ -s /tmp/time.before ] || cp /tmp/time.now /tmp/time.before
    [ "$(cat /tmp/time.now)" != "$(cat /tmp/time.before)" ]
}

lives_pv() {
    rm -f /tmp/time.before
    await 60 is_alive
}

lives_pvh() {
    await 60 has_said resumed "$(cat /tmp/resumed)"
    lives_status=$?
    says resumed > /tmp/resumed
    return $lives_status
}

save() {
    xl save g /tmp/saved/g > "$out" 2> "$err" || { cat "$err"; return 1; }
}

restore() {
    xl restore /tmp/saved/g > "$out" 2> "$err"
}

comes_back() { # TYPE NODE
    ok "$1: the guest is up" "boot_$1" "nodes=\"$2\""
    ok "$1: the guest is saved" save
    ok "$1: the guest is restored" expect 0 restore
    is "$(nodes_of g)" "$2" "$1: every page is on node $2"
    is "$(node_affinity g)" "$2" "$1: xl list -n shows the node"
    is "$(affinity g)" "all / $(cpus_of "$2")" \
        "$1: the vCPU prefers the CPUs of that node"
    is "$(grep '^numa: ' "$err")" "" "$1: xl prints nothing"
    ok "$1: the restored guest runs" "lives_$1"
}

# A PV guest of this dom0 can't be migrated live, by stock xl neither.
migrates() { # TYPE NODE
    ok "$1: the guest is migrated to this same host" migrate
    is "$(nodes_of g)" "$2" "$1: every page is on node $2"
    ok "$1: the migrated guest runs" "lives_$1"
}

migrate() { # [FROM-XL [TO-XL]]
    "${1:-xl}" migrate -s '' g "${2:-xl} migrate-receive" > "$out" 2> "$err" ||
        { cat "$err"; return 1; }
}

# The installed xl on one side: the guest lives, and its request lives on.
with_stock() { # NODE
    ok "a guest migrates to the installed xl" migrate xl stock-xl
    ok "the guest migrates back from the installed xl" migrate stock-xl xl
    is "$(nodes_of g)" "$1" "every page is on node $1 again"
    remove g
    stock_create idle-pvh g memory=100
    ok "a guest of the installed xl is saved by that" quiet \
        stock-xl save g /tmp/saved/g
    ok "a guest of the installed xl is restored by ours" expect 0 restore
    is "$(nodes_of g | wc -w)" 1 \
        "a guest without a request is restored on one node"
    is "$(node_affinity g)" "$(nodes_of g)" "its node affinity is that node"
    remove g
}

# What was its node is too small now: the rest is on the nearest.
elsewhere() { # NODE
    ok "the guest is saved again" save
    created idle ballast "nodes=\"$1\"" 'nodes_mode="strict"' \
        memory=$(($(usable_mib "$1") - 64))
    ok "the guest is restored on a node where less than half fits" \
        expect 0 restore
    ok "the node is full" test "$(free_mib "$1")" -le 24
    ok "a warning has the true figures" warns_truly "$1"
    remove g ballast
}

warns_truly() { # NODE
    cat "$err"
    pages_of g
    away=$(pages_of g | awk -v node="$1" '$1 != node { n += $2 } END { print n }')
    grep '^numa: warning: ' "$err" | awk -v away="$away" '
        match($0, /[0-9.]+ of [0-9.]+ MiB/) {
            d = substr($0, RSTART) * 256 - away
            good = d < 64 && d > -64
        }
        END { exit !good }'
}

strict() { # NODE
    ok "strict: the guest is up" \
        boot_pvh "nodes=\"$1\"" 'nodes_mode="strict"'
    ok "strict: the guest is saved" save
    created idle ballast "nodes=\"$1\"" memory=$(($(usable_mib "$1") - 64))
    before=$(rig-free)
    ok "strict: the guest is not restored if it does not fit" \
        expect 1 restore
    ok "the last line says why" tells_why "$1"
    ok "the free memory is as before" free_within 64 "$before"
    remove ballast
    ok "strict: the guest is restored if it fits" expect 0 restore
    is "$(nodes_of g)" "$1" "strict: every page is on node $1"
    remove g
}

tells_why() { # NODE
    cat "$err"
    tail -n 1 "$err" | grep '^numa: error: .*nodes_mode="strict"' |
        grep -q "node $1"
}

# ---- the whole life of a guest, on a host that changes ----

# Room for no second one of it.
fill() { # NODE
    created idle "ballast$1" "nodes=\"$1\"" memory=$(($(usable_mib "$1") - 60))
}

# Now, with all that the guest leaves behind.
plan_next() {
    next=$(expected_node worst 128)
}

is_on_plan() { # TYPE STEP
    is "$(nodes_of g)" "$next" "$1: $2: every page is on node $next"
    is "$(affinity g)" "all / $(cpus_of "$next")" \
        "$1: the vCPU prefers that node"
}

reboots() { # TEXT
    was=$(domid g)
    before=$(says "$1")
    stock-xl reboot g > "$out" 2>&1 && await 120 lives_anew g "$was" &&
        await 120 has_said "$1" "$before"
}

copied() { # TYPE
    case $1 in
    pv) xl numa-move g > "$out" 2> "$err" || { cat "$err"; return 1; } ;;
    *) migrate ;;
    esac
}

life() { # TYPE TEXT
    plan_next
    ok "$1: a guest for several moves is created" \
        "boot_$1" 'nodes_policy="worst"'
    is_on_plan "$1" created
    first=$next
    fill "$first"
    plan_next
    ok "$1: the guest reboots while its node is full" reboots "$2"
    is_on_plan "$1" rebooted
    ok "$1: the guest is on another node" test "$next" != "$first"
    second=$next
    ok "$1: the guest is saved after that" save
    fill "$second"
    plan_next
    ok "$1: the guest is restored while its node is full" expect 0 restore
    is_on_plan "$1" restored
    ok "$1: the guest is on a third node" \
        test "$next" != "$first" -a "$next" != "$second"
    remove "ballast$first"
    plan_next
    ok "$1: the guest migrates while other nodes have room" copied "$1"
    is_on_plan "$1" migrated
    is "$next" "$first" "$1: the guest is on its first node"
    ok "$1: the guest runs after all that" "lives_$1"
    destroy_all
}

# shellcheck disable=SC2046 # words
set -- $(roomy 400)
life pv GUEST-UP
life pvh "idle: up"
comes_back pv "$2"
remove g
comes_back pvh "$2"
migrates pvh "$2"
elsewhere "$2"
strict "$3"
boot_pvh "nodes=\"$3\""
with_stock "$3"
done_testing
