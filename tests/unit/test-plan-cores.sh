#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# xl numa-plan with nodes_cpus="core" and "thread": a core or a thread for each
# vCPU.

numa=$(cd "${top_builddir:-.}" && pwd)/xl/xl-numa
four_nodes=$(cd "${top_srcdir:-.}" && pwd)/tests/unit/four-nodes.json
# shellcheck source=tests/unit/tap.sh
. "${top_srcdir:-.}/tests/unit/tap.sh"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

cat "$four_nodes" > host.json
printf 'name = "web"\ntype = "pvh"\nmemory = 500\nvcpus = 2\n%s\n' \
    'nodes_policy = "best"' > web.cfg

# planned STATUS LINE ARG...: ends so, and this is among the lines.
planned() {
    status=$1 line=$2
    shift 2
    "$numa" numa-plan "$@" > out 2>&1
    got=$?
    if [ "$got" = "$status" ] && grep -qxF -e "$line" out; then
        return 0
    fi
    echo "# status $got, expected $status and '$line'"
    sed 's/^/# /' out
    return 1
}

# --- a core for each vCPU ---

# Node 0 has two cores of two threads each, and node 2 as well.
sed 's/"cpu": \([15]\), "node": \(.\), "socket": ., "core": 1/"cpu": \1, "node": \2, "socket": \2, "core": 0/
     s/"cpu": 2, "node": 1, "socket": 1/"cpu": 2, "node": 0, "socket": 0/
     s/"cpu": 3, "node": 1, "socket": 1/"cpu": 3, "node": 0, "socket": 0/' host.json > t.json
sed '/"cpu": 2,/s/"core": 0/"core": 1/' t.json > smt.json

# A domain with two vCPUs, bound to these CPUs.
held() { # CPUS
    cat << END
{"domid": 1, "name": "d", "uuid": "00000000-0000-0000-0000-000000000001",
 "dying": false, "pv": true, "pool": 0, "memory_bytes": 0, "claimed_bytes": 0,
 "request": null, "nodes": "all", "vcpus": [{"online": true, "blocked": true,
 "running": false, "cpu": 4, "time_ns": 0, "hard": "$1", "soft": "all"}]}
END
}

hold_cpus() { # CPUS
    sed '/"domains": null/d' smt.json | sed '$d' > held.json
    echo "\"domains\": [$(held "$1")] }" >> held.json
}

check "each vCPU is bound to a core of its own, with its siblings" planned 0 \
    "web: 506 MiB and 2 vCPUs: memory from node 0, vCPUs bound to a core each: CPUs 0-1, 2-3" \
    --host smt.json web.cfg 'nodes_cpus="core"'
json_cores() {
    "$numa" numa-plan --host smt.json --json web.cfg 'nodes_cpus="core"' |
        tr -d ' \n' | grep -qF '"vcpu_cores":["0-1","2-3"],'
}
check "--json has the cores of each vCPU" json_cores
check "--emit prints the cores as cpus=" planned 0 'cpus = ["0-1", "2-3"]' \
    --host smt.json --emit web.cfg 'nodes_cpus="core"'
check "--emit=libvirt prints the cores as vcpupin" planned 0 \
    "  <vcpupin vcpu='1' cpuset='2-3'/>" \
    --host smt.json --emit=libvirt web.cfg 'nodes_cpus="core"'
check "core with cpus= binds each vCPU to the CPUs of its core in cpus=" planned 0 \
    "web: 506 MiB and 2 vCPUs: memory from node 0, vCPUs bound to a core each: CPUs 3, 0-1" \
    --host smt.json web.cfg 'nodes_cpus="core"' 'cpus=["3","all"]'
hold_cpus 1
check "a core is taken if a vCPU of another domain is bound to it" planned 0 \
    "web: 506 MiB and 1 vCPU: memory from node 0, vCPUs bound to a core each: CPUs 2-3" \
    --host held.json web.cfg 'nodes_cpus="core"' vcpus=1 'nodes="0"'
check "too few free cores on the named nodes end with status 3" planned 3 \
    "web: nothing fits: nodes_cpus=\"core\": 2 vCPUs need a free core each, node 0 has 1 free" \
    --host held.json web.cfg 'nodes_cpus="core"' 'nodes="0"'
check "too few cores for one vCPU end with status 3" planned 3 \
    "web: nothing fits: nodes_cpus=\"core\": 1 vCPU needs a free core, node 0 has 0 free within cpus=" \
    --host held.json web.cfg 'nodes_cpus="core"' 'nodes="0"' vcpus=1 'cpus="0-1"'
check "too few free cores on the host end with status 3" planned 3 \
    "web: nothing fits: nodes_cpus=\"core\": 5 vCPUs need a free core each, nodes 0,2 have 2 free" \
    --host held.json web.cfg 'nodes_cpus="core"' vcpus=5
hold_cpus 1-2
check "a vCPU that may run on two cores takes neither" planned 0 \
    "web: 506 MiB and 2 vCPUs: memory from node 0, vCPUs bound to a core each: CPUs 0-1, 2-3" \
    --host held.json web.cfg 'nodes_cpus="core"' 'nodes="0"'
# --- a thread for each vCPU ---

thread='nodes_cpus="thread"'

check "each vCPU is bound to a thread of its own, siblings on one core" planned 0 \
    "web: 508 MiB and 3 vCPUs: memory from node 0, vCPUs bound to a thread each: CPUs 0, 1, 2" \
    --host smt.json web.cfg "$thread" vcpus=3
json_threads() {
    "$numa" numa-plan --host smt.json --json web.cfg "$thread" nodes=0 |
        tr -d ' \n' | grep -qF '"vcpu_cores":["0","1"],'
}
check "--json has the thread of each vCPU" json_threads
check "--emit prints the threads as cpus=" planned 0 'cpus = ["0", "1"]' \
    --host smt.json --emit web.cfg "$thread" nodes=0
check "--emit=libvirt prints the threads as vcpupin" planned 0 \
    "  <vcpupin vcpu='1' cpuset='1'/>" \
    --host smt.json --emit=libvirt web.cfg "$thread" nodes=0
hold_cpus 1
check "a thread of a taken core is not free" planned 0 \
    "web: 506 MiB and 2 vCPUs: memory from node 0, vCPUs bound to a thread each: CPUs 2, 3" \
    --host held.json web.cfg "$thread" 'nodes="0"'
check "too few free threads on the named nodes end with status 3" planned 3 \
    "web: nothing fits: nodes_cpus=\"thread\": 3 vCPUs need a free thread each, node 0 has 2 free" \
    --host held.json web.cfg "$thread" 'nodes="0"' vcpus=3
check "too few free threads within cpus= end with status 3" planned 3 \
    "web: nothing fits: nodes_cpus=\"thread\": 3 vCPUs need a free thread each, node 0 has 2 free within cpus=" \
    --host smt.json web.cfg "$thread" vcpus=3 'cpus="1-2"'
check "enough threads without enough siblings end with status 3" planned 3 \
    "web: nothing fits: nodes_cpus=\"thread\": 4 vCPUs need a free thread each, node 0 has 4 free, but not siblings within each one's cpus=" \
    --host smt.json web.cfg "$thread" vcpus=4 'cpus=["0-1","2-3","0-3","0-3"]'
printf 'name = "t"\ntype = "pvh"\nvcpus = 1\n%s\n' "$thread" > thread.cfg
printf 'name = "c"\ntype = "pvh"\nvcpus = 2\nnodes_cpus = "core"\n' > core.cfg
check "the core of a thread is taken for a guest that needs cores" planned 3 \
    "c: nothing fits: nodes_cpus=\"core\": 2 vCPUs need a free core each, node 0 has 1 free" \
    --host smt.json thread.cfg core.cfg 'nodes="0"' memory=100
check "the threads of a taken core are taken for a guest that needs threads" planned 3 \
    "t: nothing fits: nodes_cpus=\"thread\": 1 vCPU needs a free thread, node 0 has 0 free" \
    --host smt.json core.cfg thread.cfg 'nodes="0"' memory=100
check "vCPUs on siblings share a virtual node" planned 0 \
    "big: 2 virtual nodes: node 0 with 688 MiB and vCPUs 0-1, node 2 with 512 MiB and vCPUs 2-3" \
    --host smt.json web.cfg "$thread" 'name="big"' 'type="hvm"' memory=1200 \
    vcpus=4 'vnuma="auto"' 'nodes="0,2"'

check "the cores of the first domain are taken for the second" planned 3 \
    "web: nothing fits: nodes_cpus=\"core\": 2 vCPUs need a free core each, node 0 has 0 free" \
    --host smt.json web.cfg web.cfg 'nodes_cpus="core"' 'nodes="0"' memory=100

finish
