# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# thorough: what it tests seldom changes
#
# Runs in dom0: is the rig what tools/rig/README.md says? Uses nothing of ours
# but the rig itself. Works on every topology that comes with it.

# shellcheck disable=SC1091 # it is in dom0
. /root/rig.sh

# Prints a matrix of distances, one row a line, of the topology and of Xen.
topology_distances() {
    awk '$1 == "distance" { row[$2] = row[$2] (row[$2] == "" ? "" : ",") $4
                            if ($2 > last) last = $2 }
         END { for (i = 0; i <= last; i++) print row[i] }' /root/topology
}

xen_numa_info() {
    stock-xl info -n | awk '/^numa_info/ { on = 1; next }
        on && /^ *[0-9]+: / { print $1, $2, $4; next }
        on && !/^node:/ { exit }'
}

xen_distances() {
    xen_numa_info | awk '{ print $3 }'
}

# Xen numbers nodes as the firmware lists them, so where a node has no CPUs or
# no memory only the set of distances can be compared.
comparable() {
    if grep -q ' cpus=0 \| memory=0M' /root/topology; then
        tr ',' '\n' | sort -n
    else
        cat
    fi
}

pages_of() { # DOMAIN
    rig-pages "$1" | awk '{ sum += $NF } END { print sum }'
}

# Do that many virtual CPUs run at the same time?
run_at_once() { # DOMAIN VCPUS
    [ "$(stock-xl vcpu-list "$1" | grep -c ' r-- ')" = "$2" ]
}

is_new() { # DOMAIN OLD-DOMID
    [ -n "$(domid "$1")" ] && [ "$(domid "$1")" != "$2" ]
}

test_machine() {
    is "$(hostname)" dom0 "the host name is dom0"
    is "$(xen_numa_info | wc -l)" "$(grep -c ^node /root/topology)" \
        "Xen has the nodes of the topology"
    is "$(xen_distances | comparable)" "$(topology_distances | comparable)" \
        "Xen has the distances of the topology"
    is "$(stock-xl info -n | grep -c '^ *[0-9a-f:]*\.[0-9] ')" \
        "$(($(grep -c ^pci /root/topology) * 2))" \
        "the PCI devices of the topology have a node"
    ok "the stock toolstack exists" stock-xl info
    ok "our xl exists" xl info
}

test_idle() { # CONFIG
    ok "$1: the idle guest starts" stock-xl create "/root/$1.cfg" memory=96
    ok "$1: the guest reports its start on the console" \
        await 120 console_has "$1" "idle: up, 1 vcpus"
    old=$(domid "$1")
    ok "$1: the guest has the pages that it was given" \
        test "$(pages_of "$1")" -ge $((96 * 256))
    ok "$1: the guest obeys a reboot" stock-xl reboot "$1"
    ok "$1: the guest gets a new domid" await 120 is_new "$1" "$old"
    ok "$1: the guest reports its second start" \
        await 120 console_has "$1" "idle: up, 1 vcpus" 2
    ok "$1: the guest obeys a shutdown" stock-xl shutdown "$1"
    ok "$1: the guest no longer exists" await 120 is_gone "$1"
}

test_spin() { # TYPE VCPUS
    ok "$1: the spinning guest starts" \
        stock-xl create /root/spin.cfg "type=\"$1\"" "vcpus=$2"
    ok "$1: all vCPUs of the guest run" await 120 run_at_once spin "$2"
    destroy_all
}

test_reports() {
    stock-xl create -p /root/idle.cfg 'name="two words"' memory=64
    is "$(pages_of 'two words')" $((64 * 256)) "rig-pages takes a name"
    is "$(pages_of "$(domid 'two words')")" $((64 * 256)) \
        "rig-pages takes a domid"
    is "$(rig-pages 0 | cut -d' ' -f1 | uniq)" Domain-0 "domain 0 has a name"
    is "$(rig-free | wc -l)" "$(grep -c ^node /root/topology)" \
        "rig-free lists every node"
    ok "destroy_all leaves no guest" destroy_all
    rig-pages 'two words' 2> /dev/null
    is $? 1 "rig-pages fails for a domain that does not exist"
}

# The report, as the hypervisor may print it: whole, cut, and in new clothes.
test_cut_report() {
    cat > /tmp/report << 'EOF'
(XEN)     Node 7: 7
(XEN) 'u' pressed -> dumping numa info (now = 1)
(XEN) NODE0 start->0 size->9 free->5
(XEN) Domain 9 (total: 9):
(XEN)     Node 0: 9
(XEN) 'u' pressed -> dumping numa info (now = 2)
(XEN) NODE0 start->0 size->9 free->3
(XEN) NODE1 start->9 size->9 free->4
(XEN) d2 (total: 3):
(XEN)     Node 0: 1
(XEN)     Node 1: 2
EOF
    report() { awk -v "what=$1" -f /usr/lib/rig/report.awk; }
    is "$(report pages < /tmp/report)" "2 0 1
2 1 2" "the last report counts, in Xen 4.18's form too"
    is "$(report free < /tmp/report)" "0 3
1 4" "free pages are the last report's"
    sed -i /pressed/d /tmp/report
    report pages < /tmp/report > /tmp/out 2> /tmp/err
    is "$? $(wc -l < /tmp/out)" "1 0" \
        "a report without its beginning is refused"
    ok "rig-pages says why it refuses a report" grep -q 'cut short' /tmp/err
}

test_machine
test_idle idle
test_idle idle-pvh
test_spin pv 4
test_spin pvh 4
test_reports
test_cut_report
done_testing
