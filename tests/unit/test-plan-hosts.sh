#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# xl numa-plan on hosts that other programs describe: what it makes of their
# nodes and CPUs, and what it refuses.

numa=$(cd "${top_builddir:-.}" && pwd)/xl/xl-numa
hosts=$(cd "${top_srcdir:-.}" && pwd)/tests/hosts
. "${top_srcdir:-.}/tests/unit/tap.sh"
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

# says STATUS LINE HOST ARG...: ends so, and this is the first line.
says() {
    expected=$1 first=$2 plan_host=$3
    shift 3
    "$numa" numa-plan --host "$plan_host" 'name="g"' "$@" /dev/null > out 2> err
    got=$?
    [ -s out ] || grep -v ' taken ' err > out
    [ "$got" = "$expected" ] && [ "$(head -n 1 out)" = "$first" ] && return
    echo "# status $got, expected $expected and '$first'"
    cat out err | sed 's/^/# /'
    return 1
}

# --- the order of choice ---

cat > cxl.txt << 'EOF'
available: 3 nodes (0-2)
node 0 cpus: 0 1 2 3
node 0 size: 8192 MB
node 0 free: 8192 MB
node 1 cpus: 4 5 6 7
node 1 size: 8192 MB
node 1 free: 8192 MB
node 2 cpus:
node 2 size: 4096 MB
node 2 free: 4096 MB
EOF
best='nodes_policy="best"'
check "nodes_max: a node without CPUs is not chosen for its small gap" says 0 \
    'g: 1514 MiB and 6 vCPUs: memory from node 0, vCPUs prefer CPUs 0-3' \
    cxl.txt "$best" 'nodes="all"' nodes_max=1 memory=1500 vcpus=6
check "nodes_max: a node without CPUs is chosen if no other has the memory" \
    says 0 \
    'g: 3020 MiB and 6 vCPUs: memory from node 2, vCPUs prefer CPUs 0-7' \
    cxl.txt "$best" 'nodes="2"' nodes_max=1 memory=3000 vcpus=6
check "the line has the CPUs that cpus= allows" says 0 \
    'g: 1510 MiB and 2 vCPUs: memory from node 1, vCPUs prefer CPUs 5-6' \
    cxl.txt memory=1500 vcpus=2 'cpus="5-6"'

sed '/^node 1 [sf]/s/8192/0/' cxl.txt > no-memory.txt
line='g: 1510 MiB and 2 vCPUs: memory from node 0, vCPUs prefer CPUs'
check "memory comes from the named node that has some" says 0 "$line 0-7" \
    no-memory.txt 'nodes="0-1"' memory=1500 vcpus=2
check "nodes_max counts named nodes without memory" says 0 "$line 0-7" \
    no-memory.txt 'nodes="0-1"' nodes_max=1 memory=1500 vcpus=2

# Two devices on node 1 and one on node 0.
device() { # ADDRESS NODE
    echo "{\"device\": \"0000:$1\", \"node\": $2}"
}
devices="[$(device 01:00.0 1), $(device 01:00.1 1), $(device 02:00.0 1),
    $(device 03:00.0 0)]"
"$numa" numa-snapshot --host cxl.txt 2> err | awk -v devices="$devices" '
    /"pci_devices": null/ { print "\"pci_devices\": " devices ","; next }
    { print }' > devices.json
line='g: 68 MiB and 1 vCPU: memory from node'
check "each device of pci= counts" says 0 "$line 1, vCPUs prefer CPUs 4-7" \
    devices.json memory=64 "$best" 'pci=["02:00.0","01:00.0","03:00.0"]'
check "functions of one device count once" \
    says 0 "$line 0, vCPUs prefer CPUs 0-3" \
    devices.json memory=64 "$best" 'pci=["01:00.*","03:00.0"]'

# --- CPUs that are not there ---

while read -r host cpus; do
    line="may run on no CPU of this host that is in the domain's cpupool: expected\
 some of CPUs $cpus"
    check "$host: cpus= on no CPU is refused" says 3 \
        "g: nothing fits: cpus=: vCPU 0 $line" "$hosts/$host" memory=64 \
        'cpus="500"'
    check "$host: a list with one such vCPU is refused" says 3 \
        "g: nothing fits: cpus=: vCPU 1 $line" "$hosts/$host" memory=64 vcpus=2 \
        'cpus=["0","500"]'
    check "$host: --emit=libvirt prints nothing for it" says 3 \
        "<!-- g: nothing fits -->" "$hosts/$host" --emit=libvirt memory=64 \
        'cpus="500"'
done << EOF
libvirt/capabilities.xml 0-4,6,8,10,12
hwloc/2-sockets.xml 0-15
printed/numactl.txt 0-31
EOF
check "an offline CPU is not a CPU for cpus=" says 3 \
    "g: nothing fits: cpus=: vCPU 0 may run on no CPU of this host that is in the\
 domain's cpupool: expected some of CPUs 0-2,4-5" \
    "$hosts/printed/lscpu-offline.txt" memory=64 'cpus="3"'

# --- what Windows editors make of a file ---

{ printf '\357\273\277'; cat "$hosts/rig-4node.json"; } > marked.json
"$numa" numa-snapshot --host marked.json > again.json 2> err
check "a byte-order mark before JSON is skipped" \
    cmp "$hosts/rig-4node.json" again.json

# --- JSON that somebody has written or sorted otherwise ---

node() { # NUMBER BYTES
    echo "{\"node\": $1, \"total_bytes\": $2, \"free_bytes\": $2,
           \"dma_bytes\": 0, \"reserved_bytes\": 0}"
}
cpu() { # NUMBER
    echo "{\"cpu\": $1, \"node\": $1, \"socket\": $1, \"core\": 0,
           \"online\": true}"
}
host() { # CPUS NODES DISTANCES
    echo "{\"version\": 1, \"cpus\": [$1], \"nodes\": [$2],
           \"distances\": $3, \"pools\": []}"
}
host "$(cpu 0), $(cpu 1)" "$(node 0 4096), $(node 1 8192)" \
    '[[10, 20], [30, 10]]' > ordered.json
host "$(cpu 1), $(cpu 0)" "$(node 1 8192), $(node 0 4096)" \
    '[[10, 30], [20, 10]]' > unordered.json
for file in ordered unordered; do
    "$numa" numa-snapshot --host $file.json > $file.out 2>&1
done
check "CPUs and nodes may be in any order, and distances in that of the nodes" \
    cmp ordered.out unordered.out

finish
