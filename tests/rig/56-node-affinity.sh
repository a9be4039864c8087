# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology odd --sched credit2
#
# xl node-affinity shows and sets what the hypervisor then reports, says where
# the memory stays, and changes all or nothing.

. /root/lib.sh

run() { # ARG...
    xl node-affinity "$@" > $out 2> $err
}

# "80 MiB on node 1, 80 MiB on node 2", from the hypervisor's report.
memory_of() { # NAME NODE...
    memory_name=$1
    shift
    pages_of "$memory_name" | awk -v nodes="$*" '
        nodes == "" || index(" " nodes " ", " " $1 " ") {
            printf "%s%.0f MiB on node %d", sep, $2 / 256, $1
            sep = ", "
        }
        END { print "" }'
}

# What Xen has of a domain, in all.
state_of() {
    node_affinity "$1"
    stock-xl vcpu-list "$1" | awk 'NR > 1 { print $(NF - 2), $(NF - 1), $NF }'
}

soft_of() {
    affinity "$1" "$2" | sed 's/.* //'
}

hard_of() {
    affinity "$1" "$2" | sed 's/ .*//'
}

shows() { # CONFIG NODE ANOTHER
    ok "$1: a guest is created on nodes $2 and $3" \
        created "$1" g "nodes=\"$2,$3\"" vcpus=2 memory=128
    before=$(state_of g)
    run g
    is "$? $(cat $err)" "0 " "xl node-affinity shows the nodes of the guest"
    is "$(sed 's/^[^:]*: //' $out)" "nodes $(node_affinity g)
$(memory_of g)
0 of 128 MiB" "the nodes and the memory are those that Xen reports"
    is "$(state_of g)" "$before" "showing the nodes changes nothing"
}

sets() { # NODE ANOTHER
    vcpus=$(affinity g 0)
    run g "$1"
    is "$? $(cat $err)" "0 " "xl node-affinity g $1 succeeds"
    is "$(node_affinity g)" "$1" "Xen has the nodes that were set"
    is "$(affinity g 0)" "$vcpus" "the vCPUs stay as they are"
    is "$(cat $out)" \
        "'g': memory that it allocates from now on comes from node $1
'g': its present memory stays where it is: when it was built, 64 of 128 MiB were elsewhere: $(memory_of g "$2")" \
        "it says that it is for memory to come, and what is elsewhere"
    run g
    is "$(tail -n 1 $out | sed 's/.*: //')" "64 of 128 MiB" \
        "memory on other nodes is shown later, too"
    run --json g
    is "$(json_lines < $out | awk -F : '$1 == "id" || $1 == "node_affinity" ||
        $1 == "elsewhere_bytes" { print $2 }' | one_line)" \
        "$(domid g) $1 67108864" "and in JSON"
}

moves() { # NODE ANOTHER
    run --cpus=soft g "$1"
    is "$?" 0 "xl node-affinity with --cpus=soft succeeds"
    for vcpu in 0 1; do
        is "$(affinity g $vcpu)" "all / $(home_cpus_of "$1")" \
            "vCPU $vcpu prefers the CPUs of node $1"
    done
    run g "$2" --cpus=hard
    is "$? $(node_affinity g)" "0 $2" \
        "xl node-affinity with --cpus=hard and another node succeeds"
    is "$(hard_of g 0) $(hard_of g 1)" "$(cpus_of "$2") $(cpus_of "$2")" \
        "both vCPUs are bound to the CPUs of node $2"
    is "$(cat $err)" \
        "xl: warning: 'g': 64 of its 128 MiB are on node $1, at distance $(distance "$2" "$1") from CPUs $(cpus_of "$2")" \
        "one line says that the memory is remote"
    fails 1 "vCPU 0 of 'g' is bound to CPUs" g "$1" --cpus=soft
}

# With auto Xen follows the vCPUs, else it does not.
follows() { # NODE ANOTHER
    run g auto
    is "$? $(cat $err)" "0 " "xl node-affinity g auto succeeds"
    is "$(node_affinity g)" "$2" "with auto the nodes are those of the vCPUs"
    stock-xl vcpu-pin g all "$(cpus_of "$1")"
    is "$(node_affinity g)" "$1" "with auto the nodes follow the vCPUs"
    run g "$1-$2"
    stock-xl vcpu-pin g all "$(cpus_of "$2")"
    is "$(node_affinity g)" "$1-$2" "named nodes do not follow the vCPUs"
    stock-xl vcpu-pin g all all
    run g all
    is "$? $(node_affinity g)" "0 all" "xl node-affinity g all succeeds"
}

fails() { # STATUS WORD ARG...
    fails_status=$1 fails_word=$2
    shift 2
    before=$(state_of g)
    run "$@"
    is "$? $(cat $out)" "$fails_status " \
        "xl node-affinity $* ends with status $fails_status"
    ok "one line says '$fails_word'" says "$fails_word"
    is "$(state_of g)" "$before" "the refused commands have changed nothing"
}

says() { # WORD
    line=$(cat "$err")
    echo "$line"
    [ "$(echo "$line" | wc -l)" = 1 ] || return 1
    case $line in
    "xl: "*"$1"*) ;;
    *) return 1 ;;
    esac
}

errors() {
    fails 1 "node 9 is not on this host: it has nodes 0-" g 0-9
    fails 1 "'0--1': wrong at offset 2" g 0--1
    fails 1 "'^0' is not a node" g ^0
    fails 1 "no domain 'nobody'" nobody 0
    fails 2 "expected soft, hard or none" g 0 --cpus=both
    fails 2 "needs nodes" g auto --cpus=soft
}

# A node that the machine may have, of CPUs alone or memory alone.
uneven() {
    without_cpus=$(numa_info | while read -r node _; do
        [ "$(nr_cpus_of "$node")" != 0 ] || echo "$node"
    done)
    without_memory=$(numa_info | awk '$2 == 0 { print $1 }')
    if [ -z "$without_cpus" ] || [ -z "$without_memory" ]; then
        skip "every node has CPUs and memory" 6
        return
    fi
    fails 1 "have no CPU in the cpupool" g "$without_cpus" --cpus=soft
    run g "$without_cpus"
    is "$? $(cat $err) $(node_affinity g)" "0  $without_cpus" \
        "a node without CPUs may be set"
    run g "$without_memory"
    is "$?" 0 "a node without memory may be set"
    ok "a warning says what a node without memory means" \
        says "these nodes have no memory"
}

dry_run() { # NODE
    run g 0
    xl -N node-affinity --cpus=hard g "$1" > $out 2> $err
    is "$? $(cut -d ' ' -f 11- $out | head -n 1)" "0 node $1" \
        "xl -N prints what would be done"
    is "$(node_affinity g) $(hard_of g 0)" "0 all" "xl -N changes nothing"
}

# A pool that has only the CPUs of one node.
pool() { # NODE ANOTHER
    cpus=$(cpus_of "$1")
    stock-xl cpupool-cpu-remove Pool-0 "$cpus"
    stock-xl cpupool-create 'name="pool"' "cpus=\"$cpus\"" > $out
    fails 1 "have no CPU in the cpupool" g "$1" --cpus=hard
    run g "$1,$2" --cpus=hard
    is "$? $(hard_of g 0)" "0 $(home_cpus_of "$2")" \
        "the vCPUs move within their cpupool"
}

as_shown() { # NODES
    case $1 in
    all)   echo "all nodes" ;;
    *[,-]*) echo "nodes $1" ;;
    *)     echo "node $1" ;;
    esac
}

stock_guest() {
    stock_create idle s memory=64
    run s
    is "$(sed 's/^[^:]*: //' $out)" "node $(node_affinity s)
not recorded
not known" "a guest of the installed xl's: its memory is not known"
    remove s
    run Domain-0
    is "$? $(head -n 1 $out)" \
        "0 node affinity  : $(as_shown "$(node_affinity Domain-0)")" "Domain-0"
}

# shellcheck disable=SC2046 # words
set -- $(roomy 100)
shows idle "$1" "$2"
sets "$1" "$2"
moves "$1" "$2"
follows "$1" "$2"
errors
dry_run "$2"
uneven
remove g
shows idle-pvh "$1" "$2"
sets "$1" "$2"
moves "$1" "$2"
follows "$1" "$2"
stock_guest
pool "$2" "$1"
done_testing
