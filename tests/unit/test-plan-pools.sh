#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# xl numa-plan with pool="auto": the cpupool of the plan.

numa=$(cd "${top_builddir:-.}" && pwd)/xl/xl-numa
# Of two CPUs and 1 GiB each; the CPUs of node 3 are a cpupool.
four_nodes=$(cd "${top_srcdir:-.}" && pwd)/tests/unit/four-nodes.json
. "${top_srcdir:-.}/tests/unit/tap.sh"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

sed 's/"cpus": "6-7"}/"cpus": "6-7", "name": "near"}/' "$four_nodes" > host.json
printf 'name = "web"\ntype = "pvh"\nmemory = 200\nvcpus = 2\npool = "auto"\n' \
    > web.cfg

sed 's/web/db/' web.cfg > db.cfg
echo 'pool = "auto"' > d.conf

# plans STATUS TEXT ARG...: ends so, and has printed the text.
plans() {
    status=$1 text=$2
    shift 2
    case " $*" in
    *" --host "*) ;;
    *) set -- --host host.json "$@" ;;
    esac
    "$numa" numa-plan "$@" > out 2>&1
    got=$?
    [ "$got" = "$status" ] && grep -qF -e "$text" out && return
    echo "# status $got, expected $status and '$text'"
    sed 's/^/# /' out
    return 1
}

check "pool=auto takes the cpupool of the named node" \
    plans 0 "web: cpupool 'near', with CPUs 6-7" web.cfg 'nodes="3"'
check "the vCPUs prefer CPUs of that cpupool" \
    plans 0 'vCPUs prefer CPUs 6-7' web.cfg \
    'nodes="3"'
check "pool=auto takes another cpupool for another node, by its number" \
    plans 0 "web: cpupool 0, with CPUs 0-5" web.cfg 'nodes="1"'
check "pool=auto takes the cpupool of the chosen node" \
    plans 0 "web: cpupool 0, with CPUs 0-5" web.cfg 'nodes_policy="worst"'
check "vCPUs prefer the CPUs of the node in that cpupool" plans 0 'vCPUs prefer CPUs 2-3' web.cfg \
    'nodes_policy="worst"'
check "pool=auto takes the cpupool with the CPUs of cpus=" \
    plans 0 "web: cpupool 'near', with CPUs 6-7" web.cfg 'cpus="7"'
check "pool=auto takes the cpupool with a CPU for each vCPU" \
    plans 0 "web: cpupool 0, with CPUs 0-5" web.cfg vcpus=3 memory=30
check "if no cpupool has enough memory, the one with most is used" \
    plans 4 "web: cpupool 0, with CPUs 0-5" web.cfg memory=2400
check "with strict one line says that the domain fits in no cpupool" \
    plans 3 'web: nothing fits: nodes_mode="strict": 2414 MiB needed' web.cfg \
    memory=2400 'nodes_mode="strict"'
check "cpus= with CPUs of two cpupools is refused" plans 3 'web: nothing fits:'\
' pool="auto": no cpupool has a CPU of cpus= for each vCPU' web.cfg \
    'cpus=["0","6"]'
check "the plan of a second domain accounts for the first" \
    plans 0 "db: cpupool 0, with CPUs 0-5" web.cfg 'nodes="auto"' \
    db.cfg
check "--json has the name of the cpupool" \
    plans 0 '"pool":"near",' --json web.cfg 'nodes="3"'
check "--json has no cpupool if the configuration names it" \
    plans 0 '"pool":null,' --json web.cfg 'pool="near"'
check "--emit prints the cpupool as a key" plans 0 'pool = "near"' --emit web.cfg \
    'nodes="3"'
sed 's/"pools": .*/"pools": [],/' host.json > none.json
check "without any cpupool the key has no effect" \
    plans 0 'web: 206 MiB and 2 vCPUs: memory from node 3' --host none.json \
    web.cfg
check "xl-numa.conf cannot have pool=" plans 1 \
    'xl: d.conf: pool=: expected a key of xl-numa.conf(5)' --defaults d.conf \
    web.cfg
finish
