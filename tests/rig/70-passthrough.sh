# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 2node
#
# What is not about placement is the installed xl's: output, status, arguments.

. /root/lib.sh

# The installed xl under its own name, which it prints.
mkdir /tmp/stock
ln -s "$(readlink -f "$(command -v stock-xl)")" /tmp/stock/xl

# Times go on meanwhile.
without_times() {
    sed -E 's/ +[0-9]+\.[0-9]+/ T/g; s/^(free_memory|outstanding).*/\1/' "$1"
}

streams() { # XL ARG...
    "$@" > "$out" 2> "$err" < /dev/null
    echo "status $?"
    echo "stdout:"
    without_times "$out"
    echo "stderr:"
    without_times "$err"
}

same() { # ARG...
    is "$(streams xl "$@")" "$(PATH=/tmp/stock:$PATH streams xl "$@")" \
        "xl $* has the output and status of the installed xl"
}

# What ours adds comes behind it.
help_begins() {
    xl help > "$out"
    PATH=/tmp/stock:$PATH xl help > "$err"
    head -c "$(wc -c < "$err")" "$out" | cmp - "$err"
}

commands() {
    same
    same list
    same list -l Domain-0
    same li
    same -t list
    same -v list
    same -f list
    same info
    same info -n
    same domid Domain-0
    same domid nobody
    same destroy nobody
    same sched-credit -d nobody
    ok "xl help begins as that of the installed xl" help_begins
    same help create
    same help nosuch
    same nosuch
    same c
    same creat
    same -x list
    same -N
    same create
    same create /nonexistent
    same create --nosuch /root/idle.cfg
    same create -h
    same restore
    same restore /nonexistent
}

# Words that are short for a command of ours, which answers.
of_ours() {
    xl vcpu-p Domain-0 0 bad > "$out" 2> "$err"
    is "$? $(cut -d : -f 1-3 "$err")" "1 xl: 'bad': wrong at offset 0" \
        "xl vcpu-p Domain-0 0 bad says what is wrong, and where"
}

# Lists and destroys what ours has made, and stock's as well.
guests() {
    created idle ours memory=64
    stock_create idle stock memory=64
    same list
    same list -n
    for guest in ours stock; do
        ok "xl destroy destroys a guest made by $guest" xl destroy $guest
        ok "the destroyed guest no longer exists" test -z "$(domid $guest)"
    done
    await 30 nothing_dies
}

# Unknown keys are ignored, so they can be many.
many_arguments() {
    set -- /root/idle.cfg
    for number in $(seq 300); do
        set -- "$@" "unknown_$number=\"$number\""
    done
    xl create -n "$@" memory=77 2> "$err" | same_keys > /tmp/json
    ok "300 arguments arrive, the last one too" \
        grep -q '"max_memkb":78848' /tmp/json
    ok "the argument before the last arrives, too" \
        grep -q '"name":"idle"' /tmp/json
}

odd_arguments() {
    # shellcheck disable=SC2016 # no expansion is meant
    xl create -n /root/idle.cfg 'memory=66
vcpus=2' 'extra="a  b $HOME '\''c'\''"' > /tmp/json 2> "$err"
    ok "an argument with a newline is one argument" \
        grep -q '"max_vcpus": 2' /tmp/json
    ok "spaces, quotes and dollars arrive unchanged" \
        grep -qF "a  b \$HOME 'c'" /tmp/json
}

standard_input() {
    { cat /root/idle.cfg; echo 'name = "piped"'; } > /tmp/piped.cfg
    xl create /dev/stdin < /tmp/piped.cfg > "$out" 2> "$err"
    ok "xl create reads its standard input" test -n "$(domid piped)"
    remove piped
}

# What xl starts for a guest: its bootloader, which it gives to a guest that
# has a disk. Nobody gets to open it.
child_environment() {
    cat > /root/bootloader << 'EOF'
#!/bin/sh
env > /tmp/env
exit 1
EOF
    chmod +x /root/bootloader
    rm -f /tmp/env
    "$@" > "$out" 2> "$err"
    [ -s /tmp/env ] || cat "$err"
}

environment() {
    mknod /tmp/disk b 7 0
    set -- create /root/idle.cfg 'bootloader="/root/bootloader"' \
        'disk=["phy:/tmp/disk,xvda,w"]'
    child_environment xl "$@"
    ok "a bootloader is started" test -s /tmp/env
    ok "the bootloader has no LD_PRELOAD" not grep -q '^LD_PRELOAD=' /tmp/env
    ok "the bootloader has no other variable of ours" \
        not grep -qi 'xl_numa\|placement' /tmp/env
    child_environment env LD_PRELOAD=libgcc_s.so.1 xl "$@"
    is "$(grep '^LD_PRELOAD=' /tmp/env)" LD_PRELOAD=libgcc_s.so.1 \
        "an LD_PRELOAD of the user is kept"
    destroy_all
}

not() {
    ! "$@"
}

commands
of_ours
guests
many_arguments
odd_arguments
standard_input
environment
done_testing
