# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node --timeout 1800
# hvm: stub domains and shadow are for HVM guests
# thorough: some twenty guests are made
#
# What administrators do with xl besides placement has the same outcome as with the
# installed xl: states, names, statuses, files. Only the pages are where they were asked
# to be.

. /root/lib.sh

guest=/tmp/g.cfg
cat > "$guest" << 'EOT'
name = "g"
type = "pvh"
kernel = "/boot/guest"
memory = 48
vcpus = 2
nodes = "2"
EOT
console=/var/log/xen/console/guest-g.log
dumps=/var/lib/xen/dump

# What differs from one run to the next is left out: numbers of domains, and the time in
# a name.
states() {
    rig-xen domains | awk '$2 > 0 { print $3, $4 }' | sed 's/-2[0-9TZ]*$/-TIME/; s/^r/b/' |
        sort
}

made() { # [OPTION|KEY=VALUE...]
    rm -f "$console"
    $xl create "$guest" "$@" > "$out" 2>&1
    echo "create: $?"
}

is_up() {
    await 60 console_has g "idle: up"
}

told() { # WORD
    old=$(domid g)
    xenstore-write "/local/domain/$old/control/shutdown" "$1"
}

# Ours has put it where it was asked to.
placed() {
    [ "$xl" = xl ] || return 0
    nodes_of g > /tmp/placed
}

made_anew() {
    await 120 lives_anew g "$old"
    placed
    states
}

# ---- the scenes ----

paused() {
    made -p
    states
    $xl unpause g
    is_up && placed
    states
}

quiet_create() {
    made -q
    cat "$out"
    placed
}

in_the_foreground() {
    rm -f "$console"
    $xl create -F "$guest" > "$out" 2>&1 &
    is_up && placed && told poweroff
    wait $!
    echo "create -F: $?"
    states
}

with_its_console() {
    rm -f "$console"
    $xl create -c "$guest" < /dev/null > "$out" 2>&1 &
    is_up && placed && told poweroff
    wait $!
    echo "create -c: $?"
    grep -o 'idle: up' "$out"
    await 60 is_gone g
    states
}

not_created() {
    made -n
    states
    made -d -n > /dev/null
    grep -c '"name": "g"' "$out"
}

saved_and_kept() {
    made > /dev/null && is_up
    old=$(domid g)
    $xl save -c g /tmp/g.saved > "$out" 2>&1
    echo "save -c: $?, same number: $(($(domid g) == old))"
    states
    $xl destroy g
    await 60 is_gone g
    $xl restore -p /tmp/g.saved > "$out" 2>&1
    echo "restore -p: $?"
    placed
    states
    rm /tmp/g.saved
}

saved_and_paused() {
    made > /dev/null && is_up
    $xl save -p g /tmp/g.saved > "$out" 2>&1
    echo "save -p: $?"
    states
    rm /tmp/g.saved
}

reboots_renamed() {
    made 'on_reboot="rename-restart"' > /dev/null && is_up && told reboot
    made_anew
}

crashes() {
    made 'on_crash="restart"' > /dev/null && is_up && told crash
    made_anew
}

# As PV: of PVH the dump looks at each page below 4 GiB, which takes minutes.
crashes_with_a_dump() {
    made 'type="pv"' 'on_crash="coredump-restart"' > /dev/null && is_up && told crash
    made_anew
    find "$dumps" -type f | wc -l
    rm -rf "${dumps:?}"/*
}

# Its memory is kept until somebody has looked at it.
ends_preserved() {
    made 'on_poweroff="preserve"' > /dev/null && is_up && told poweroff
    await 60 sh -c "rig-xen domains | grep -q 's g$'"
    states
}

renamed() {
    made > /dev/null && is_up && placed
    $xl rename g h
    echo "rename: $?"
    states
    $xl rename h g
}

without_claims() {
    echo 'claim_mode=0' > /etc/xen/xl.conf
    made
    is_up && placed
    states
    : > /etc/xen/xl.conf
}

driver_domain() {
    made driver_domain=1
    is_up && placed
    states
}

hvm() { # KEY=VALUE...
    $xl create /root/idle-hvm.cfg 'name="g"' 'nodes="2"' "$@" > "$out" 2>&1
    echo "create: $?"
    states
    [ -z "$(domid g)" ] || placed
}

with_shadow() {
    hvm hap=0
}

with_a_stub_domain() {
    hvm device_model_stubdomain_override=1
}

# ---- both of them ----

clear_up() {
    for domid in $(guest_domids); do
        stock-xl destroy "$domid" > /dev/null 2>&1
    done
    await 60 nothing_dies
}

same() { # SCENE WHAT
    rm -f /tmp/placed
    for xl in stock-xl xl; do
        "$1" > "/tmp/$xl.outcome" 2>&1
        cp "$out" "/tmp/$xl.out"
        clear_up
    done
    is "$(cat /tmp/xl.outcome)" "$(cat /tmp/stock-xl.outcome)" "$2: as with stock's xl" ||
        sed 's/^/# said: /' /tmp/xl.out
    sed 's/^/# /' /tmp/stock-xl.outcome
    [ ! -e /tmp/placed ] ||
        is "$(cat /tmp/placed)" 2 "$2: its pages are on the node that it asks for"
}

mkdir -p $dumps
same paused "create -p, unpause"
same quiet_create "create -q"
same in_the_foreground "create -F"
same with_its_console "create -c"
same not_created "create -n"
same saved_and_kept "save -c, restore -p"
same saved_and_paused "save -p"
same reboots_renamed "on_reboot=rename-restart"
same crashes "on_crash=restart"
same crashes_with_a_dump "on_crash=coredump-restart"
same ends_preserved "on_poweroff=preserve"
same renamed "rename"
same without_claims "claim_mode=0"
same driver_domain "driver_domain=1"
same with_shadow "hap=0"
same with_a_stub_domain "a stub domain"
is "$(leftovers)" "" "nothing is left"
done_testing
