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
    is "$(affinity g)" "$cpus / ${cpus%-*}" "its affinities are kept"
    all_on "$1"
}

pin_all_ways() { # NODE NODE NODE
    created idle-pvh g memory=64 'nodes_cpus="none"'
    pinned "$1" "it reboots" reboot
    pinned "$2" "it is saved and restored" save_and_restore
    pinned "$3" "it migrates to this host" migrate
    ok "it reboots again" reboot
    is "$(affinity g)" "$cpus / ${cpus%-*}" "they are kept still"
    ok "all vCPUs may run anywhere" quiet xl vcpu-pin --keep g all all all
    ok "and reboot" reboot
    is "$(affinity g)" "all / all" "that is kept too"
    ok "without --keep" quiet xl vcpu-pin g all "$(cpus_of "$1")"
    ok "when it reboots" reboot
    is "$(affinity g)" "all / all" "it is lost"
    remove g
}

# ---- node-affinity ----

affine() { # NODE HOW COMMAND
    ok "its memory shall come from node $1" \
        quiet xl node-affinity --keep g "$1"
    ok "$2" "$3"
    all_on "$1"
    is "$(node_affinity g)" "$1" "stock list -n shows it"
    is "$(affinity g)" "all / $(cpus_of "$1")" "its vCPU prefers its CPUs"
}

affine_all_ways() { # NODE NODE NODE
    created idle-pvh g memory=64 "nodes=\"$3\""
    affine "$1" "it reboots" reboot
    affine "$2" "it is saved and restored" save_and_restore
    affine "$3" "it migrates to this host" migrate
    ok "hard on node $1" quiet xl node-affinity --keep --cpus=hard g "$1"
    ok "it reboots with that" reboot
    all_on "$1"
    is "$(affinity g | sed 's, / .*,,')" "$(cpus_of "$1")" "it runs there only"
    remove g
}

changed_twice() { # NODE NODE
    created idle g memory=64 vcpus=2 "nodes=\"$2\""
    ok "one vCPU" quiet xl vcpu-pin --keep g 0 "$(cpus_of "$1")"
    ok "the other" quiet xl vcpu-pin --keep g 1 "$(cpus_of "$2")"
    ok "and nodes" quiet xl node-affinity --keep g "$1"
    ok "PV: it reboots" reboot
    is "$(affinity g 0 | sed 's, / .*,,')" "$(cpus_of "$1")" "vCPU 0's is kept"
    is "$(affinity g 1 | sed 's, / .*,,')" "$(cpus_of "$2")" "vCPU 1's too"
    all_on "$1"
    remove g
}

# ---- what can't be ----

refused() {
    xl vcpu-pin --keep Domain-0 0 0 > "$out" 2> "$err"
    is "$? $(wc -l < "$err")" "1 1" "Domain-0: one line"
    is "$(stock-xl vcpu-list 0 | awk 'NR == 2 { print $7 }')" all \
        "and it is not pinned"
    xl node-affinity --keep 0 > "$out" 2> "$err"
    is "$?" 2 "nothing to keep: usage"
}

bad_record() { # NODE
    created idle g memory=64 "nodes=\"$1\""
    ok "something is to be kept" quiet xl node-affinity --keep g "$1"
    for record in /var/lib/xen/userdata-d."$(domid g)".*.xl-numa; do
        echo "no such thing" > "$record"
    done
    ok "what was noted is spoilt: it reboots" reboot
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
