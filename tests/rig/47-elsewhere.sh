#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# host: it starts three machines, one after the other
# thorough: three machines
#
# Guests that are saved on one host and restored on others, with other nodes: no
# node of the first is applied, the request is.

set -uo pipefail

tests_dir=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
rig=$tests_dir/../../tools/rig/rig
# shellcheck source=tests/rig/machines.sh
. "$tests_dir/machines.sh"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# on TOPOLOGY SCRIPT [OPTION...]: its output; its lines of TAP are this one's.
on() {
    local topology=$1 script=$2
    shift 2
    "$rig" --one-thread --no-linux --topology "$topology" \
        --put "$tests_dir/lib.sh:/root/lib.sh" "$@" "$script" < /dev/null
}

cat > "$tmp/save" << 'EOT'
. /root/lib.sh

# NAME KEY=VALUE...: its memory is zeros, which pack well.
saved() {
    saved_name=$1
    shift
    created idle-pvh "$saved_name" memory=32 "$@"
    ok "$saved_name is up" await 60 console_has "$saved_name" "idle: up"
    rig-pages "$saved_name" | sed 's/^/# /'
}

mkdir /tmp/saved
saved named 'nodes="2"'
saved chosen 'nodes_policy="worst"'
stock_create idle-pvh stock memory=32
ok "stock is up" await 60 console_has stock "idle: up"
for name in named chosen; do
    ok "$name is saved" xl save "$name" "/tmp/saved/$name"
done
ok "stock is saved, by the installed xl" stock-xl save stock /tmp/saved/stock
is "$(guest_domids)" "" "the saved guests no longer exist"
echo SAVED
tar -c -C /tmp saved | gzip | base64
EOT

cat > "$tmp/restore" << 'EOT'
. /root/lib.sh

# $expected is where it should be.
restored() { # NAME [XL]
    ok "$1 is restored with ${2:-xl}" quiet "${2:-xl}" restore "/tmp/saved/$1"
}

quiet() {
    "$@" > "$out" 2> "$err" || { cat "$err"; return 1; }
}

lives() { # NAME
    await 60 grep -q resumed "/var/log/xen/console/guest-$1.log"
}

on_expected() { # NAME
    is "$(nodes_of "$1")" "$expected" "$1: every page is on node $expected"
    is "$(node_affinity "$1")" "$expected" "$1: xl list -n shows the node"
    is "$(affinity "$1")" "all / $(home_cpus_of "$expected")" \
        "$1: the vCPU prefers the CPUs of that node"
    ok "$1: the guest runs" lives "$1"
}

is_node() {
    nodes | grep -qw "$1"
}

echo "# nodes $(nodes)"
tar -xz -C /tmp -f /root/saved.tgz
expected=2
is_node 2 || expected=$(expected_node best 32)
restored named
on_expected named
if is_node 2; then
    is "$(grep '^numa: ' "$err")" "" \
        "xl prints nothing for a guest whose nodes exist"
else
    is "$(grep '^numa: ' "$err")" "numa: warning: 'named': nodes=\"2\": not all \
of these nodes are on this host; the others are ignored" \
    "a line says why other nodes are used"
fi
stock-xl list -l named | same_keys > /tmp/stored
ok "the request of the guest is as before" \
    grep -q '"numa/nodes":"2"' /tmp/stored

expected=$(expected_node worst 32)
restored chosen
on_expected chosen
# One that stock made has no policy: the host's holds. The default would look at
# the CPUs too, of which node 0 of "odd" has more than others.
echo 'nodes_policy = "best"' > /etc/xen/xl-numa.conf
expected=$(expected_node best 32)
restored stock
on_expected stock
destroy_all
restored chosen stock-xl
ok "chosen: the guest runs under the installed xl, too" lives chosen
EOT

both() {
    on 4node "$tmp/save" > "$tmp/out" || echo "not ok 0 - the first machine"
    sed '/^SAVED$/,$d' "$tmp/out"
    sed '1,/^SAVED$/d' "$tmp/out" | base64 -d > "$tmp/saved.tgz" || return
    for topology in 2node odd; do
        echo "# restored on $topology"
        on $topology "$tmp/restore" --put "$tmp/saved.tgz:/root/saved.tgz" ||
            echo "not ok 0 - the machine with $topology"
    done
}

both 2>&1 | tee "$tmp/tap" | renumber
! grep -q '^not ok' "$tmp/tap"
