# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node
# thorough: eight reboots, one after the other
#
# What --keep asks for holds when the domain is built again; without it, it is
# lost, as with the installed xl.

. /root/lib.sh

mkdir /tmp/saved
mount -t tmpfs -o size=300m none /tmp/saved

# ---- how it is built again ----

reboot() {
    old=$(domid g)
    quiet stock-xl reboot g && await 60 lives_anew g "$old"
}

save_and_restore() {
    quiet xl save g /tmp/saved/g && quiet xl restore /tmp/saved/g
}

migrate() {
    quiet xl migrate -s '' g 'xl migrate-receive'
}

all_on() { # NODE
    is "$(nodes_of g)" "$1" "every page is on node $1"
}

# ---- vcpu-pin ----

pinned() { # NODE HOW COMMAND
    cpus=$(cpus_of "$1")
    ok "vCPU 0 is pinned" quiet xl vcpu-pin --keep g 0 "$cpus" "${cpus%-*}"
    ok "$2" "$3"
    is "$(affinity g)" "$cpus / ${cpus%-*}" \
        "the affinities are kept over a reboot"
    all_on "$1"
}

pin_all_ways() { # NODE NODE NODE
    created idle-pvh g memory=64 'nodes_cpus="none"'
    pinned "$1" "it reboots" reboot
    pinned "$2" "it is saved and restored" save_and_restore
    pinned "$3" "it migrates to this host" migrate
    ok "the guest reboots again" reboot
    is "$(affinity g)" "$cpus / ${cpus%-*}" \
        "the affinities are kept over a second reboot"
    ok "--keep with all lets all vCPUs run anywhere" \
        quiet xl vcpu-pin --keep g all all all
    ok "a guest whose vCPUs may run anywhere reboots" reboot
    is "$(affinity g)" "all / all" \
        "that the vCPUs may run anywhere is kept, too"
    ok "a vCPU is pinned without --keep" \
        quiet xl vcpu-pin g all "$(cpus_of "$1")"
    ok "the guest with that pin reboots" reboot
    is "$(affinity g)" "all / all" "the pin without --keep is lost"
    remove g
}

# ---- node-affinity ----

affine() { # NODE HOW COMMAND
    ok "node-affinity --keep is set to node $1" \
        quiet xl node-affinity --keep g "$1"
    ok "$2" "$3"
    all_on "$1"
    is "$(node_affinity g)" "$1" "the installed xl list -n shows the node"
    is "$(affinity g)" "all / $(cpus_of "$1")" \
        "the vCPU prefers the CPUs of that node"
}

affine_all_ways() { # NODE NODE NODE
    created idle-pvh g memory=64 "nodes=\"$3\""
    affine "$1" "it reboots" reboot
    affine "$2" "it is saved and restored" save_and_restore
    affine "$3" "it migrates to this host" migrate
    ok "node-affinity --keep --cpus=hard is set to node $1" \
        quiet xl node-affinity --keep --cpus=hard g "$1"
    ok "the guest reboots with --cpus=hard" reboot
    all_on "$1"
    is "$(affinity g | sed 's, / .*,,')" "$(cpus_of "$1")" \
        "the vCPUs run on that node only"
    remove g
}

changed_twice() { # NODE NODE
    created idle g memory=64 vcpus=2 "nodes=\"$2\""
    ok "vcpu-pin --keep pins one vCPU of a PV guest" \
        quiet xl vcpu-pin --keep g 0 "$(cpus_of "$1")"
    ok "vcpu-pin --keep pins the other vCPU" \
        quiet xl vcpu-pin --keep g 1 "$(cpus_of "$2")"
    ok "node-affinity --keep sets the nodes of the PV guest" \
        quiet xl node-affinity --keep g "$1"
    ok "PV: the guest reboots" reboot
    is "$(affinity g 0 | sed 's, / .*,,')" "$(cpus_of "$1")" \
        "PV: the affinity of vCPU 0 is kept"
    is "$(affinity g 1 | sed 's, / .*,,')" "$(cpus_of "$2")" \
        "PV: the affinity of vCPU 1 is kept"
    all_on "$1"
    remove g
}

# ---- what can't be ----

refused() {
    xl vcpu-pin --keep Domain-0 0 0 > "$out" 2> "$err"
    is "$? $(wc -l < "$err")" "1 1" \
        "vcpu-pin --keep of Domain-0 prints one line"
    is "$(stock-xl vcpu-list 0 | awk 'NR == 2 { print $7 }')" all \
        "Domain-0 is not pinned"
    xl node-affinity --keep 0 > "$out" 2> "$err"
    is "$?" 2 "--keep without a change is a usage error"
}

bad_record() { # NODE
    created idle g memory=64 "nodes=\"$1\""
    ok "a setting is kept for the next test" \
        quiet xl node-affinity --keep g "$1"
    for record in /var/lib/xen/userdata-d."$(domid g)".*.xl-numa; do
        echo "no such thing" > "$record"
    done
    ok "a guest whose record is spoilt reboots" reboot
    all_on "$1"
    remove g
}

# shellcheck disable=SC2046 # words
set -- $(roomy 100)
pin_all_ways "$@"
affine_all_ways "$@"
changed_twice "$1" "$2"
refused
bad_record "$1"
done_testing
