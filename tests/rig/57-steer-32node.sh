# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 32node
# thorough: the same as on other machines, on a large one
#
# On 32 nodes the commands for a running host agree with each other, with the
# installed xl and with the hypervisor's report.

. /root/lib.sh

# "node pages" of a guest in the JSON of numa-stat, like pages_of.
stat_pages() { # NAME [OPTION...]
    stat_name=$1
    shift
    xl numa-stat --json "$@" "$stat_name" | json_lines | awk -F : '
        $1 == "node" { node = $2 }
        $1 == "bytes" { print node, $2 / 4096 }'
}

# "vcpu cpu hard soft" of each vCPU.
stock_vcpus() { # NAME
    stock-xl vcpu-list "$1" | awk 'NR > 1 {
        print $(NF - 6), $(NF - 5), $(NF - 2), $NF }'
}

our_vcpus() { # NAME
    xl vcpu-list -o VCPU,CPU,HARD,SOFT "$1" | awk 'NR > 1 { $1 = $1; print }'
}

# The nodes that node-affinity shows, in the words of xl list -n.
our_nodes() { # NAME
    xl node-affinity "$1" | sed -n 's/^node affinity *: //p' |
        sed 's/^nodes* //; s/^all nodes$/all/'
}

memory_agrees() { # NAME NODES
    seen=$(pages_of "$1")
    is "$(echo "$seen" | ranges)" "$2" "$1: its memory is on nodes $2"
    is "$(stat_pages "$1" --pages)" "$seen" \
        "$1: numa-stat --pages shows these nodes"
    ok "$1: numa-stat shows the nodes of the build" \
        about_the_same "$(stat_pages "$1")" "$seen"
}

steering_agrees() { # NAME HARD SOFT NODES
    is "$(our_vcpus "$1")" "$(stock_vcpus "$1")" \
        "$1: vcpu-list shows what the installed xl shows"
    is "$(affinity "$1") $(affinity "$1" 3)" "$2 / $3 $2 / $3" \
        "$1: all vCPUs have hard $2, soft $3"
    is "$(our_nodes "$1") $(node_affinity "$1")" "$4 $4" \
        "$1: node-affinity and stock list -n say $4"
}

steers() { # CONFIG NAME NODE NEXT-NODE OTHER-NODE
    home=$(cpus_of "$3" "$4") away=$(cpus_of "$5")
    both=$(cpus_of "$3" "$4" "$5")
    created "$1" "$2" "nodes=\"$3-$4\"" vcpus=4 memory=64
    memory_agrees "$2" "$3-$4"
    steering_agrees "$2" all "$home" "$3-$4"
    xl vcpu-pin "$2" all "nodes:$3-$4,node:$5" "$away" 2> "$err"
    is "$? $(cat "$err")" "0 xl: warning: '$2': its memory is on nodes $3-$4,\
 at distance $(distance "$5" "$3") from CPU $away" \
     "$2: the vCPUs are pinned elsewhere, with a warning"
    steering_agrees "$2" "$both" "$away" "$3-$4"
    xl node-affinity --cpus=hard "$2" "$5" > "$out" 2> "$err"
    is "$? $(sed -n '2s/.*built, //p' "$out")" "0 64 of 64 MiB were elsewhere:\
 32 MiB on node $3, 32 MiB on node $4" \
     "$2: the node affinity is set, and reported"
    steering_agrees "$2" "$away" "$away" "$5"
    is "$(xl vcpu-list --cpuset "$2")" "$away" "$2: --cpuset prints the CPUs"
    is "$(xl numa-stat -o LOCAL,DISTANCE,VCPU_NODES "$2" |
        awk 'NR == 3 { $1 = $1; print }')" "0% $(distance "$5" "$3").0 $5" \
        "$2: numa-stat knows that all is remote now, and how far"
    xl node-affinity "$2" all > "$out"
    steering_agrees "$2" "$away" "$away" all
}

# "a b" with some room on both, of one quarter of the nodes; the last but one
# such pair.
pair() {
    roomy 128 | tr ' ' '\n' | awk '
        $1 == last + 1 && int($1 / 8) == int(last / 8) {
            before = found
            found = last " " $1
        }
        { last = $1 }
        END { print before }'
}

# shellcheck disable=SC2046 # words
set -- $(pair) $(roomy 64)
steers idle pv "$1" "$2" "$3"
steers idle-pvh pvh "$1" "$2" "$3"
is "$(xl numa-info -o USED "$1" | sed 1d | tr -d ' ')" 64 \
    "numa-info adds up the memory of both guests"
done_testing
