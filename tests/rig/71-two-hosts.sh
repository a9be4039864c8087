# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/two-hosts.sh disable=SC2317
# rig: --pair 4node uneven --timeout 1800 --put tests/rig/two-hosts.sh:/root/two-hosts.sh --put docs/examples/create-on-best:/root/create-on-best
# thorough: two machines
#
# Guests that migrate from one host to another, with other nodes: there they are
# placed by what they ask for. What breaks the connection leaves exactly one
# guest, which runs.

# shellcheck source=tests/rig/two-hosts.sh
. /root/two-hosts.sh

state() { # NAME: of its vCPUs, as "r", "b", "p"...
    awk -v name="$1" '$4 == name { print $3 }'
}

# "here" and "there": which host has it.
where() { # NAME
    echo "$(rig-xen domains | state "$1" | sed 's/.*/here/')" \
        "$(peer rig-xen domains | state "$1" | sed 's/.*/there/')" |
        sed 's/^ //; s/ $//'
}

up() { # NAME KEY=VALUE...
    up_name=$1
    shift
    rm -f "/var/log/xen/console/guest-$up_name.log"
    created idle-pvh "$up_name" memory=48 vcpus=2 "$@" &&
        await 60 console_has "$up_name" "idle: up"
}

# xl calls it so until all of it is there, and the log of its console keeps that
# name. The next one begins another.
incoming() { # NAME
    echo "/var/log/xen/console/guest-$1--incoming.log"
}

lives_here() { # NAME
    await 60 grep -q resumed "$(incoming "$1")" && rm "$(incoming "$1")"
}

lives_there() { # NAME
    await 60 peer grep -q resumed "$(incoming "$1")" && peer rm "$(incoming "$1")"
}

is "$(peer "stock-xl info" | sed -n 's/^nr_nodes *: //p')" 4 "the other host answers"
peer rig-free | sed 's/^/# there: node, free pages: /'

# ---- there and back ----

ok "g is up on node 1" up g 'nodes="1"'
ok "xl migrate sends it to the other host" quiet xl migrate -s rig-peer g rig2
is "$(where g)" there "g is there, and not here"
is "$(nodes_there g)" 1 "every page is on node 1 of that host"
ok "g runs there" lives_there g
ok "g migrates back" quiet peer xl migrate -s rig-peer g rig1
is "$(where g)" here "g is here, and not there"
is "$(nodes_of g)" 1 "every page is on node 1 of this host"
is "$(affinity g)" "all / $(cpus_of 1)" \
    "the vCPUs of g prefer the CPUs of that node"
ok "g runs here" lives_here g
ok "xl migrate -p sends g to the other host" \
    quiet xl migrate -p -s rig-peer g rig2
is "$(peer rig-xen domains | state g)" p "g is paused there"
is "$(nodes_there g)" 1 "every page is on node 1"
peer stock-xl destroy g

# ---- what only the first host has ----

ok "h is up on node 3" up h 'nodes="3"'
peer xl create /root/idle.cfg "'name=\"ballast\"'" "'nodes=\"3\"'" memory=400 \
    > /dev/null 2>&1
ok "h migrates to a host whose node 3 is smaller, and full" \
    quiet xl migrate -s rig-peer h rig2
is "$(where h)" there "h is there"
is "$(nodes_there h | wc -w)" 1 "h is on one node, $(nodes_there h)"
peer stock-xl destroy h
peer stock-xl destroy ballast

# ---- the installed xl on one side ----

# xl starts "SSH HOST xl migrate-receive".
cat > /tmp/stock-there << 'EOT'
host=$1
shift 2
exec rig-peer "$host" stock-xl "$@"
EOT

ok "s is up on node 2" up s 'nodes="2"'
ok "s migrates to an installed xl" \
    quiet xl migrate -s 'sh /tmp/stock-there' s rig2
is "$(where s)" there "s is there"
ok "s runs there" lives_there s
ok "the installed xl there sends s back" \
    quiet peer stock-xl migrate -s rig-peer s rig1
is "$(where s)" here "s is here"
ok "s runs here" lives_here s
remove s

# ---- the wire is cut ----

# The connection carries so many KiB, then nothing any more.
cat > /tmp/cut << 'EOT'
{
    dd bs=64k iflag=fullblock count=$(($(cat /tmp/kib) / 64)) 2> /dev/null
    ip link set eth0 down
    cat
} | rig-peer "$@"
EOT

nothing_there() {
    [ -z "$(peer rig-xen domains | state c)" ]
}

for kib in 64 8192 40000; do
    echo $kib > /tmp/kib
    ok "c is up" up c 'nodes="2"'
    ok "a wire that is cut after $kib KiB is an error" \
        expect 1 quiet xl migrate -s 'sh /tmp/cut' c rig2
    is "$(rig-xen domains | state c)" b "c runs here"
    is "$(nodes_of c)" 2 "every page is on node 2"
    ip link set eth0 up
    ok "the other host removes its part of c" await 240 nothing_there
    ok "c can be migrated when the wire is repaired" \
        quiet xl migrate -s rig-peer c rig2
    is "$(where c)" there "c is there, and not here"
    is "$(nodes_there c)" 2 "every page is on node 2"
    peer stock-xl destroy c
done

# ---- which host ----

# NAME MIB [LINE...]: prints the host on which the example script creates it.
created_on_best() {
    printf '%s\n' "name = \"$1\"" 'type = "pvh"' 'kernel = "/boot/guest"' \
        'vcpus = 1' "memory = $2" "$3" > "/tmp/$1.cfg"
    peer "cat > /tmp/$1.cfg" < "/tmp/$1.cfg"
    SSH=rig-peer sh /root/create-on-best "/tmp/$1.cfg" rig1 rig2 2> "$err" ||
        cat "$err"
}

# 1100 MiB are on one node there, and nowhere here.
is "$(created_on_best w 1100)" rig2 \
    "the example script creates a guest on the host where it fits best"
is "$(where w)" there "the guest of the example script is there"
is "$(nodes_there w | wc -w)" 1 "that guest is on one node, $(nodes_there w)"
peer stock-xl destroy w
best=$(created_on_best v 100 'nodes_policy = "best"')
echo "# best fit: $best"
is "$(where v)" "$([ "$best" = rig1 ] && echo here || echo there)" \
    "the example script names the host of a small guest"
remove v 2> /dev/null
peer stock-xl destroy v 2> /dev/null

nothing_of_ours
done_testing
