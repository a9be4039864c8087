#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# xl numa-plan on a saved host: what it prints, and how it ends.

numa=$(cd "${top_builddir:-.}" && pwd)/xl/xl-numa
# Of two CPUs and 1 GiB each; 0 and 1 are near each other, 2 and 3 too.
four_nodes=$(cd "${top_srcdir:-.}" && pwd)/tests/unit/four-nodes.json
. "${top_srcdir:-.}/tests/unit/tap.sh"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

cat "$four_nodes" > host.json
best='nodes_policy = "best"'
printf 'name = "web"\ntype = "pvh"\nmemory = 500\nvcpus = 2\n' > plain.cfg
printf 'name = "web"\ntype = "pvh"\nmemory = 500\nvcpus = 2\n%s\n' "$best" \
    > web.cfg
printf 'name = "db"\nmemory = 1200\nvcpus = 4\n%s\n' "$best" > db.cfg

# On host.json, unless it is said where: several hosts are ranked.
on_host() { # ARG...
    case " $*" in
    *" --host "*) "$numa" numa-plan "$@" ;;
    *) "$numa" numa-plan --host host.json "$@" ;;
    esac
}

# plans STATUS FILE ARG...: ends so, and stdout and stderr are the file.
plans() {
    status=$1 expected=$2
    shift 2
    on_host "$@" > out 2> err
    got=$?
    cat err >> out
    if [ "$got" = "$status" ] && cmp -s out "$expected"; then
        return 0
    fi
    echo "# status $got, expected $status"
    diff "$expected" out | sed 's/^/# /'
    return 1
}

# planned STATUS LINE ARG...: ends so, and this is among the lines.
planned() {
    status=$1 line=$2
    shift 2
    on_host "$@" > out 2>&1
    got=$?
    if [ "$got" = "$status" ] && grep -qxF -e "$line" out; then
        return 0
    fi
    echo "# status $got, expected $status and '$line'"
    sed 's/^/# /' out
    return 1
}

# --- the plan and its table ---

cat > expected << 'EOF'
web: 506 MiB and 2 vCPUs: memory from node 2, vCPUs prefer CPUs 4-5
web: best fit among 3 that fit: leaves 13 MiB; next is node 0 with 254 MiB
web: 6 MiB of it are overhead, by libxl's figures for PVH with HAP
NODES NEED USABLE CPUS VCPUS DISTANCE LEFT VERDICT
2      506    519    2     -        -   13 chosen
0      506    760    2     -        -  254 fits, but not by the policy
1      506    802    2     -        -  296 fits, but not by the policy
0-1    506   1562    4     -       21 1056 fits, but more nodes
0,2    506   1279    4     -       31  773 fits, but more nodes
1-2    506   1321    4     -       31  815 fits, but more nodes
0-2    506   2081    6     -       31 1575 fits, but more nodes
Left out: node 3, without a CPU that the domain may use
EOF
check "the plan of a domain that fits has a table of all sets of nodes" \
    plans 0 expected web.cfg

cat > expected << 'EOF'
web: 506 MiB and 2 vCPUs: memory from node 3, vCPUs bound to CPUs 6-7
web: the nodes are named, but too small
web: fits only after relaxing: 200 of 506 MiB do not fit on node 3: 200 MiB to node 2
web: 6 MiB of it are overhead, by libxl's figures for PVH with HAP
NODES NEED USABLE CPUS VCPUS DISTANCE LEFT VERDICT
3      506    306    2     -        -    - chosen: 200 MiB short
Left out: nodes 0-2, not named
EOF
check \
    "a plan with memory on other nodes says how much and where, with status 4" \
    plans 4 expected web.cfg 'nodes="3"' 'nodes_cpus="hard"' 'pool="3"'

sed 's/"cpus": "6-7"}/"cpus": "6-7", "name": "near"}/' host.json > named.json
check "a cpupool may be named as the saved host has it" \
    plans 4 expected --host named.json web.cfg 'nodes="3"' \
    'nodes_cpus="hard"' 'pool="near"'
check "a cpupool may be named by its number" plans 4 expected --host named.json web.cfg \
    'nodes="3"' 'nodes_cpus="hard"' 'pool="3"'

# --- what is preferred ---

sed 's/"pci_devices": null/"pci_devices": [\
        {"device": "0000:81:00.0", "node": 1},\
        {"device": "0000:81:00.1", "node": null},\
        {"device": "0001:c1:00.0", "node": 3}]/
     s/"domains": null/"domains": [\
        {"domid": 1, "name": "db", "uuid": "8c6e8a7e-4f5a-4b5e-9a37-2d1f0c3b6a11",\
         "dying": false, "pv": true, "pool": 0, "memory_bytes": 1048576,\
         "claimed_bytes": 0, "nodes": "1", "vcpus": []}]/' \
    host.json > full.json
mv host.json empty.json
cp full.json host.json
check "the node of a PCI device comes before the policy" \
    planned 0 "web: PCI devices are on node 1, which the plan uses" \
    web.cfg 'pci=["81:00.0,permissive=1"]'
check "a plan without room on a device's node reports its distance" \
    planned 0 "web: PCI devices are on node 3, which the plan does not use, distance 21" \
    web.cfg 'pci=["bdf=0001:c1:00.*"]'
check "a plan on the device's node says so" planned 0 \
    "web: 506 MiB and 2 vCPUs: memory from node 2, vCPUs prefer CPUs 4-5" \
    web.cfg 'pci=["bdf=0001:c1:00.*"]'
check "a device whose node is not known has no effect" \
    planned 0 "web: best fit among 3 that fit: leaves 13 MiB; next is node 0 with 254 MiB" \
    web.cfg 'pci=["81:00.1"]'
check "a device that the host does not have is reported, and has no effect" \
    planned 0 "xl: web.cfg: pci=: this host has no device 0000:99:00.0: the plan ignores it" \
    web.cfg 'pci=["81:00.1", "99:00.0"]'
check "nodes_with= prefers the nodes of the running domain" \
    planned 0 "web: with 'db', on node 1, which the plan uses" \
    web.cfg 'nodes_with="db"'
check "nodes_apart= comes before the policy" \
    planned 0 "web: apart from 'db', on node 1, which the plan does not use" \
    web.cfg 'nodes_apart="db"' 'nodes_policy="worst"'
check "the verdict says that other sets are preferred" planned 0 \
    "2      506    519    2     0        -   13 fits, but others are preferred" \
    web.cfg 'nodes_with="db"'
check "nodes_with= of a domain that does not run has no effect" \
    planned 0 "web: best fit among 3 that fit: leaves 13 MiB; next is node 0 with 254 MiB" \
    web.cfg 'nodes_with="nobody"'
mv empty.json host.json

sed 's/"core": 1/"core": 0/' host.json > threads.json
mv host.json cores.json
mv threads.json host.json
check "two threads of a core are CPUs for two vCPUs" \
    planned 0 "web: best fit among 3 that fit: leaves 13 MiB; next is node 0 with 254 MiB" \
    web.cfg
check \
    "with nodes_smt=cores two threads are one core, so the plan has two nodes" \
    planned 0 "web: 506 MiB and 2 vCPUs: memory from nodes 0-1, vCPUs prefer CPUs 0-3" \
    web.cfg 'nodes_smt="cores"'
check "a domain with more vCPUs than cores gets all nodes" planned 0 \
    "db: 1210 MiB and 4 vCPUs: memory from nodes 0-2, vCPUs prefer CPUs 0-5" \
    db.cfg 'nodes_smt="cores"'
mv cores.json host.json

check "with strict a node that is too small ends with status 3" \
    planned 3 "web: nothing fits: nodes_mode=\"strict\": 506 MiB needed, not\
 available from node 3; node 3 has 306 MiB free, 306 MiB usable" \
    web.cfg 'nodes="3"' 'nodes_mode="strict"'
check "control characters in a name do not reach the terminal" \
    planned 0 "w?[2Jb: the nodes are named" \
    "name=\"w$(printf '\033')[2Jb\"" 'nodes="0"' memory=100 web.cfg
check "a line names nodes without memory" \
    planned 3 "web: nothing fits: nodes_mode=\"strict\": 506 MiB needed, not\
 available from node 9; node 9 has no memory" \
    --host "${four_nodes%unit/*}hosts/plain/sparse.json" web.cfg 'nodes="9"' \
    'nodes_mode="strict"'
check "more memory than the host has ends with status 3" \
    planned 3 "db: 16 MiB of it are overhead, by libxl's figures for PV" \
    db.cfg memory=2600
check "fewer CPUs than vCPUs end with status 4" \
    planned 4 "web: fits only after relaxing: fewer CPUs on the nodes than\
 vCPUs, or none of a vCPU's cpus=" web.cfg vcpus=4 nodes_max=1

# --- domains that run ---

# One that prefers node 2, and one that does not care.
vcpu() { # SOFT
    echo '{"online": true, "blocked": true, "running": false, "cpu": 4,' \
        "\"time_ns\": 0, \"hard\": \"all\", \"soft\": \"$1\"}"
}

domain() { # DOMID SOFT
    cat << EOF
{"domid": $1, "name": "d$1", "uuid": "00000000-0000-0000-0000-00000000000$1",
 "dying": false, "pv": true, "pool": 0, "memory_bytes": 0, "claimed_bytes": 0,
 "request": null, "nodes": "all", "vcpus": [$(vcpu "$2"), $(vcpu "$2")]}
EOF
}

sed '/"domains": null/d' host.json | sed '$d' > busy.json
echo "\"domains\": [$(domain 1 4-5), $(domain 2 all)] }" >> busy.json
check "VCPUS counts the vCPUs that prefer the nodes" planned 0 "2         2" \
    --host busy.json -o NODES,VCPUS web.cfg
check "VCPUS does not count vCPUs that prefer other nodes" \
    planned 0 "0         0" \
    --host busy.json -o NODES,VCPUS web.cfg

# --- several, and JSON ---

cat > expected << 'EOF'
web: 506 MiB and 2 vCPUs: memory from node 2, vCPUs prefer CPUs 4-5
web: best fit among 3 that fit: leaves 13 MiB; next is node 0 with 254 MiB
web: 6 MiB of it are overhead, by libxl's figures for PVH with HAP
web: 506 MiB and 2 vCPUs: memory from node 0, vCPUs prefer CPUs 0-1
web: best fit among 2 that fit: leaves 254 MiB; next is node 1 with 296 MiB
web: 6 MiB of it are overhead, by libxl's figures for PVH with HAP
EOF
check "the plan of a second domain accounts for the first" \
    plans 0 expected web.cfg web.cfg
printf 'name = "big"\nmemory = 5000\n' > big.cfg
check "a domain that does not fit reserves nothing for the next plan" \
    planned 3 "web: 506 MiB and 2 vCPUs: memory from node 2, vCPUs prefer CPUs\
 4-5" big.cfg web.cfg
check "the exit status is the worst of all domains" \
    planned 3 "web: only one set of nodes fits: leaves 44 MiB" \
    web.cfg web.cfg web.cfg web.cfg web.cfg
has_json() { # TEXT OPTION...
    text=$1
    shift
    "$numa" numa-plan --host host.json "$@" > out 2>&1
    grep -qF -e "$text" out && return
    sed 's/^/# /' out
    return 1
}
check "--json has the nodes" has_json '"policy":"best","nodes":"2",' \
    --json web.cfg 'nodes_policy="best"'
check "--json=lists has the nodes as numbers" has_json '"nodes":[2],' \
    --json=lists web.cfg 'nodes_policy="best"'
check "--json has the path of the configuration, from any directory" \
    has_json "\"config\":\"$(pwd -P)/web.cfg\"," --json web.cfg
check "--json has the words of the command line" \
    has_json '"words":["memory=300"]' --json web.cfg memory=300
check "--json has the reason in a word" \
    has_json '"reason":"more_nodes"' --json web.cfg
check "-o chooses the columns" planned 0 'NODES REASON' -o NODES,REASON web.cfg
check "two runs print the same bytes" plans 0 expected web.cfg web.cfg

# --- an order, a count, something to paste ---

printf 'name = "a"\nmemory = 480\n' > a.cfg
printf 'name = "b"\nmemory = 700\n' > b.cfg
printf 'name = "c"\nmemory = 790\n' > c.cfg
check "in the given order the last domain needs two nodes" \
    planned 0 "c: 796 MiB and 1 vCPU: memory from nodes 1-2, vCPUs prefer CPUs\
 2-5" a.cfg b.cfg c.cfg 'nodes_policy="worst"'
"$numa" numa-plan --host host.json --optimise a.cfg b.cfg c.cfg \
    'nodes_policy="worst"' | sed -n 's/: memory from \(.*\),.*/ \1/p' |
    sed 's/ [0-9].* vCPU / /' > out
printf '%s\n' "c: 796 MiB and 1 vCPU node 1" "b: 706 MiB and 1 vCPU node 0" \
    "a: 484 MiB and 1 vCPU node 2" | sed 's/ [0-9].* vCPU / /' > expected
check "--optimise finds an order in which each domain has one node" \
    cmp -s expected out
# Bound to node 2, a has to come before what would fill it.
printf 'name = "f"\nmemory = 505\n' > f.cfg
printf 'name = "e"\nmemory = 480\ncpus = "4-5"\n' > e.cfg
check "with the largest first, a bound domain finds its node full" \
    planned 4 "e: no set of nodes fits: the plan uses the set with most memory" \
    f.cfg e.cfg
check "--optimise finds an order in which the bound domain fits" \
    planned 0 "e: 484 MiB and 1 vCPU: memory from node 2, vCPUs prefer CPUs 4-5" \
    --optimise f.cfg e.cfg

cat > expected << 'EOF'
web: 4 more fit as asked: 3 on 1 node each, 1 on 2 nodes
web: memory runs out first: 506 MiB needed, 490 MiB left, at most 306 MiB of it on one node
EOF
check "--count says how many more domains fit, and what runs out" \
    plans 0 expected --count web.cfg
check "--count says that no domain fits" planned 3 "db: 0 more fit as asked" \
    --count db.cfg memory=4000
check "--count says that the CPUs run out" planned 4 "web: CPUs run out first" \
    --count web.cfg vcpus=4 nodes_max=1
check "--count --json prints the same figures" \
    has_json '"fit":4,' --count --json web.cfg

cat > expected << 'EOF'
# web
nodes = "2"
# db
nodes = "0-1"
EOF
check "--emit prints keys to paste" plans 0 expected --emit web.cfg db.cfg
"$numa" numa-plan --host host.json web.cfg > out
"$numa" numa-plan --host host.json --emit web.cfg > keys
cat web.cfg keys > pasted.cfg
check "the configuration with the emitted keys gives the same plan" \
    planned 0 "$(head -n 1 out)" pasted.cfg
cat > expected << 'EOF'
# web
nodes = "0"
nodes_mem = "1"
EOF
check "--emit prints memory apart from CPUs" plans 0 expected --emit web.cfg \
    'nodes="0"' 'nodes_mem="1"'
cat > expected << 'EOF'
<!-- web -->
<vcpu placement='static' cpuset='4-5'>2</vcpu>
<numatune>
  <memory mode='preferred' nodeset='2'/>
</numatune>
EOF
check "--emit=libvirt prints elements to paste" \
    plans 0 expected --emit=libvirt web.cfg
cat > expected << 'EOF'
<!-- w-?> -->
<vcpu placement='static' cpuset='0,2-3'>2</vcpu>
<cputune>
  <vcpupin vcpu='0' cpuset='0'/>
  <vcpupin vcpu='1' cpuset='2-3'/>
</cputune>
<numatune>
  <memory mode='strict' nodeset='0-1'/>
</numatune>
EOF
check "--emit=libvirt prints the CPUs of each vCPU, and a name like a comment" \
    plans 0 expected --emit=libvirt web.cfg 'name="w-->"' 'cpus=["0","2-3"]' \
    'nodes_mode="strict"'
echo '<!-- db: nothing fits -->' > expected
check "--emit=libvirt prints a comment if nothing fits" \
    plans 3 expected --emit=libvirt db.cfg \
    memory=4000

# --- errors ---

ignored="unknown key, ignored"
check "a misspelt key gets a suggestion" planned 0 \
    "xl: web.cfg: nodes_polcy=: $ignored: did you mean nodes_policy=?" \
    web.cfg 'nodes_polcy="worst"'
check "a key with a missing letter gets a suggestion" planned 0 \
    "xl: web.cfg: node=: $ignored: did you mean nodes=?" web.cfg 'node="2"'
check "a key with a missing underscore gets a suggestion" planned 0 \
    "xl: web.cfg: vnumavcpus=: $ignored: did you mean vnuma_vcpus=?" web.cfg vnumavcpus=1
check "a key with two swapped letters gets a suggestion" planned 0 \
    "xl: web.cfg: nodse=: $ignored: did you mean nodes=?" web.cfg nodse=2
check "an unknown key that is longer than any key gets no suggestion" planned 0 \
    "xl: web.cfg: nodes_of_all_the_hosts_there_are=: $ignored" \
    web.cfg nodes_of_all_the_hosts_there_are=1
check "an unknown key that resembles no key gets no suggestion" planned 0 \
    "xl: web.cfg: nodes_and_what_not=: $ignored" web.cfg nodes_and_what_not=1
printf '# nodes_x = 1\nboot = "nodes_x=1"\nnodes_max = 2\nnotes=1\nname_="k"\n' \
    > known.cfg
knows_all() {
    "$numa" numa-plan --host host.json known.cfg 'name="k"' > out 2> err
    [ ! -s err ]
}
check "known keys get no warning" knows_all
for line in 'dma_resrve=0' 'nodes_foo=1' 'memory=500'; do
    printf 'nodes_max=2\n%s\n' "$line" > own.conf
    check "$line in the host's defaults is an error" planned 1 \
        "xl: own.conf: ${line%=*}=: expected a key of xl-numa.conf(5)" \
        --defaults=own.conf web.cfg
done
echo 'vnuma=[["pnode=0"]]' > own.conf
check "xl-numa.conf cannot have a vnuma= list" planned 1 \
    'xl: own.conf: vnuma=[...]: expected "auto", "host" or "none"' \
    --defaults=own.conf web.cfg
check "a configuration that does not exist is an error" planned 1 \
    "xl: cannot read 'none.cfg': No such file or directory" none.cfg
check "a host file that does not exist is an error" planned 1 \
    "xl: none.json: No such file or directory" \
    --host none.json web.cfg
check "a wrong value names file, key, value and what is right" planned 1 \
    'xl: web.cfg: nodes_mode="loose": expected "preferred" or "strict"' \
    web.cfg 'nodes_mode="loose"'
check "a node that does not exist is an error" planned 1 \
    'xl: web.cfg: nodes="2,7": no node 7 here: this host has 0-3' \
    web.cfg 'nodes="2,7"'
check "CPUs that do not exist are an error" planned 3 "web: nothing fits: cpus=: vCPU 1 may run\
 on no CPU of this host that is in the domain's cpupool: expected some of CPUs 0-5" \
    web.cfg 'cpus=["0","100"]'
check "a cpupool name that the host does not have is an error" planned 1 \
    'xl: web.cfg: pool="near": this host has no such cpupool' web.cfg 'pool="near"'
check "a cpupool that does not exist is an error" planned 1 \
    'xl: web.cfg: pool="5": this host has no such cpupool' web.cfg 'pool="5"'
cat > expected << 'EOF'
# web
vnuma = [
    [ "pnode=0", "size=502", "vcpus=0-1", "vdistances=10,21" ],
    [ "pnode=1", "size=499", "vcpus=2", "vdistances=21,10" ],
]
EOF
printf '%s\n' 'name = "web"' 'type = "hvm"' 'memory = 1001' 'vcpus = 3' \
    'nodes = "0-1"' 'vnuma = "auto"' > wide.cfg
check "--emit prints vnuma=\"auto\" as a list of the installed xl" \
    plans 0 expected --emit wide.cfg
check "the plan lists the virtual nodes" planned 0 "web: 2 virtual nodes: node 0 with 502 MiB and\
 vCPUs 0-1, node 1 with 499 MiB and vCPU 2" wide.cfg
check "--emit=libvirt prints virtual nodes as cells" planned 0 \
    "    <cell id='1' cpus='2' memory='510976' unit='KiB'>" \
    --emit=libvirt wide.cfg
check "--emit=libvirt pins each vCPU to the CPUs of its cell" planned 0 \
    "  <vcpupin vcpu='2' cpuset='2-3'/>" \
    --emit=libvirt wide.cfg
check "a first virtual node below the video memory does not fit" planned 3 \
    "web: nothing fits: vnuma=\"auto\" over nodes 0-1: the first virtual node is\
 smaller than the video memory, which must fit into it" web.cfg 'type="hvm"' \
    'memory=200' 'nodes="0-1"' 'vnuma="auto"' 'videoram=128'
check "virtual nodes for a PVH guest are an error with status 1" planned 1 \
    "xl: web.cfg: vnuma=\"host\": only HVM guests can have virtual nodes, and this\
 one is type=\"pvh\"" web.cfg 'vnuma="host"'
check "nodes_mem= in parts takes these parts" planned 0 'nodes_mem = "0:75%,1:25%"' \
    --emit web.cfg 'nodes_mem="0:75%,1:25%"'

# --- virtual nodes of its own ---

# vnode PNODE MIB VCPUS DISTANCES
vnode() {
    echo "[\"pnode=$1\",\"size=$2\",\"vcpus=$3\",\"vdistances=$4\"]"
}
two="$(vnode 0 500 0-1 10,21),$(vnode 1 300 2 21,10)"
printf '%s\n' 'name = "own"' 'type = "hvm"' 'maxvcpus = 3' "vnuma=[$two]" \
    > own.cfg
cat > expected << 'EOF'
own: 2 virtual nodes: node 0 with 500 MiB and vCPUs 0-1, node 1 with 300 MiB and vCPU 2
own: 10 MiB of it are overhead, by libxl's figures for HVM with HAP
EOF
check "a vnuma= list is planned, and there is no table" plans 0 expected own.cfg
check "the memory of a vnuma= list is not available to the next domain" planned 3 "own: nothing fits:\
 vnuma=[...]: 500 MiB needed on node 0, which has 451 MiB" own.cfg own.cfg
check "a node that is too small for its part of the list ends with status 3" \
    planned 3 "own:\
 nothing fits: vnuma=[...]: 900 MiB needed on node 1, which has 802 MiB" own.cfg \
    "vnuma=[$(vnode 0 500 0-1 10,21),$(vnode 1 900 2 21,10)]"
check "a list with a node that the host does not have is an error" \
    planned 1 "xl: own.cfg: vnuma: item 1:\
 pnode=\"7\": no node 7 here: this host has 0-3" own.cfg \
    "vnuma=[$(vnode 7 500 0-2 10)]"
sed 's/"pool": 0,/& "sched_gran": "core",/; s/"core": 1/"core": 0/' host.json \
    > units.json
check "a warning names vCPUs that run together and are in two virtual nodes" planned 0 "own: warning: core\
 scheduling: vCPUs 0-1 run together, but their virtual nodes are on nodes 0-1:\
 some run far from their memory; give each virtual node whole groups of 2 vCPUs,\
 from vCPU 0 on" --host units.json own.cfg \
    "vnuma=[$(vnode 0 500 0 10,21),$(vnode 1 300 1-2 21,10)]"
check "virtual nodes have whole scheduling units" plans 0 expected --host units.json own.cfg
sed '/^maxvcpus/d' own.cfg > unbounded.cfg
check "a list with more vCPUs than CPUs, without maxvcpus=, is an error" \
    planned 1 "xl: unbounded.cfg:\
 vnuma: 9 vCPUs, but this host has 8 CPUs: xl expects maxvcpus=9 with such a\
 list" unbounded.cfg "vnuma=[$(vnode 0 500 0-8 10)]"
check "a list with cpus= that no vCPU can use is refused" \
    planned 3 "own: nothing fits: cpus=: vCPU 0 may run\
 on no CPU of this host that is in the domain's cpupool: expected some of CPUs 0-5" \
    own.cfg 'cpus="100"'
echo "vnuma=[$two]" > expected
on_host --emit own.cfg | sed 1d | tr -d ' \n' | sed 's/,]$/]/' > out
echo >> out
check "--emit prints the vnuma= list" cmp expected out
on_host --json own.cfg > out
check "a plan for a vnuma= list has no candidates" \
    sh -c "tr -d ' \n' < out | grep -qF '\"candidates\":[],\"others\"'"

# --- usage ---

usage="see 'xl numa-plan --help'"
check "a command line without CONFIG is an error" planned 2 "xl: numa-plan: needs a CONFIG: $usage" memory=1
check "-o with two configurations is an error" planned 2 \
    "xl: numa-plan: -o works with one CONFIG only: $usage" \
    -o NODES web.cfg db.cfg

check "--all with two configurations is an error" planned 2 \
    "xl: numa-plan: --all works with one CONFIG only: $usage" \
    --all web.cfg db.cfg
check "an unknown form of --emit is an error" planned 2 \
    "xl: numa-plan: --emit='xml': expected --emit or --emit=libvirt: $usage" \
    --emit=xml web.cfg
check "options that exclude each other are refused" planned 2 "xl: numa-plan: --count, --emit and\
 the options of the table exclude each other: $usage" --emit --count web.cfg
check "--count with two configurations is an error" planned 2 "xl: numa-plan: --count works with one CONFIG only:\
 $usage" --count web.cfg db.cfg

# --- defaults ---

echo 'nodes_policy = "worst"' > defaults.conf
check "--defaults names a file of defaults" planned 0 \
    "web: 506 MiB and 2 vCPUs: memory from node 1, vCPUs prefer CPUs 2-3" \
    --defaults defaults.conf plain.cfg
check "the domain's own key wins" planned 0 \
    "web: 506 MiB and 2 vCPUs: memory from node 2, vCPUs prefer CPUs 4-5" \
    --defaults defaults.conf web.cfg 'nodes_policy="best"'
echo 'nodes_policy = "wurst"' > defaults.conf
check "a wrong value in xl-numa.conf is an error" planned 1 "xl: defaults.conf: nodes_policy=\"wurst\":\
 expected \"first\", \"best\", \"worst\" or \"balanced\"" \
    --defaults defaults.conf web.cfg
mkdir directory
check "a directory as defaults is an error" planned 1 \
    "xl: cannot read 'directory': Is a directory" --defaults directory web.cfg
mkfifo pipe
(cat defaults.conf > pipe &)
check "defaults from a pipe are read once" planned 1 "xl: pipe:\
 nodes_policy=\"wurst\": expected \"first\", \"best\", \"worst\" or \"balanced\"" \
    --defaults pipe web.cfg
check "a directory as configuration is an error" planned 1 \
    "xl: cannot read 'directory': Is a directory" directory

echo "xl: unknown column 'FOO': expected some of NODES, NEED, USABLE, CPUS,\
 VCPUS, DISTANCE, MEAN, LEFT, LOAD, VERDICT, REASON" > expected
check "an unknown column is the only error" \
    plans 2 expected -o FOO web.cfg
check "an unknown column with --json is refused" plans 2 expected --json -o FOO web.cfg
# fills ARG...: one line on standard error.
fills() {
    "$numa" numa-plan --host host.json "$@" > /dev/full 2> err
    [ $? = 1 ] && [ "$(cat err)" = \
        "xl: cannot write the output: No space left on device" ] && return
    sed 's/^/# /' err
    return 1
}
for option in --json --emit --emit=libvirt --count -oNODES; do
    check "a full disk is reported once: $option" fills "$option" web.cfg
done
check "a full disk is reported once: two domains" fills web.cfg db.cfg
check "a full disk is reported once: --count --json" fills --count --json web.cfg

# --- domains of libvirt ---

# domain ELEMENTS: what web.cfg has, as libvirt has it.
domain() { # ELEMENTS
    cat << EOF
<domain type='xen'>
  <name>web</name>
  <memory unit='MiB'>500</memory>
  $1
  <os><type machine='xenpvh'>xenpvh</type></os>
  <metadata>
    <numa:placement xmlns:numa='urn:libxl-numa:keys' nodes_policy='best'/>
  </metadata>
</domain>
EOF
}

domain '<vcpu>2</vcpu>' > web.xml
"$numa" numa-plan --host host.json web.cfg > expected
check "the XML of a domain is planned as its xl configuration" \
    plans 0 expected web.xml
"$numa" numa-plan --host host.json web.cfg memory=700 > expected
check "KEY=VALUE applies to a libvirt domain, too" plans 0 expected web.xml memory=700
domain "$("$numa" numa-plan --host host.json --emit=libvirt web.cfg)" > own.xml
check "numa-plan reads what --emit=libvirt prints" planned 0 \
    "web: 506 MiB and 2 vCPUs: memory from node 2, vCPUs prefer CPUs 4-5" \
    own.xml
# cells [ELEMENTS]: two of them, in a domain of libvirt
cells() {
    domain "<vcpu>3</vcpu><cpu><numa><cell cpus='0-1' memory='307200'/>
        <cell cpus='2' memory='300' unit='MiB'/></numa></cpu>$1" |
        sed 's/xenpvh/hvm/g'
}
cells > cells.xml
check "the plan lists libvirt's cells" planned 0 "web: 2 virtual nodes: node 0 with 300 MiB\
 and vCPUs 0-1, node 1 with 300 MiB and vCPU 2" cells.xml
cells "<numatune><memnode cellid='1' nodeset='3'/></numatune>" > memnode.xml
check "a cell is on the node of its <memnode>" planned 0 "web: 2 virtual nodes: node 2 with 300 MiB\
 and vCPUs 0-1, node 3 with 300 MiB and vCPU 2" memnode.xml
cells "" | sed "s/cpus='2'/cpus=''/" > few.xml
check "<cell>s without a vCPU are refused" planned 3 "web: nothing fits: vCPU 2 \
of 3 is in no <cell>: expected each vCPU in one" few.xml
cells "" | sed "s/cpus='2'/cpus='1-2'/" > twice.xml
check "a vCPU in two <cell>s is refused" planned 3 "web: nothing fits: vCPU 1 \
of 3 is in more than one <cell>: expected each vCPU in one" twice.xml
printf 'name = "h"\ntype = "hvm"\nmemory = 1800\nvcpus = 4\nvnuma = "host"\n' \
    > copy.cfg
check "a copy of the host that does not fit is reported with sizes" \
    planned 3 "h: nothing \
fits: vnuma=\"host\" over nodes 0-2: 600 MiB needed on each; node 0 has 951 MiB \
free, 887 MiB usable, node 1 has 802 MiB free, 802 MiB usable, node 2 has 519 \
MiB free, 519 MiB usable" copy.cfg
check "a second configuration is planned if the first one does not fit" planned 3 \
    "web: 506 MiB and 2 vCPUs: memory from node 2, vCPUs prefer CPUs 4-5" \
    copy.cfg web.cfg
check "KEY=VALUE cannot make a guest with cells populate on demand" planned 1 "xl: cells.xml:\
 memory of 500 to 600 MiB and <cell>s of 600 MiB: expected the same, as virtual\
 nodes cannot be populated on demand" cells.xml memory=500 maxmem=600
domain "<currentMemory unit='ells'>1</currentMemory>" > bad.xml
check "an error in the configuration names its line" planned 1 \
    "xl: bad.xml: line 4: unit='ells': expected a unit such as 'KiB'" \
    bad.xml

# --- nodes= beside CPUs of the configuration ---

far="web: 506 MiB and 2 vCPUs: memory from node 2, vCPUs bound to CPUs"
check "nodes= without a CPU of cpus= leaves the vCPUs bound as configured" \
    planned 0 \
    "$far 0-1" web.cfg 'nodes="2"' 'cpus="0-1"' 'nodes_cpus="hard"'
check "nodes= without a CPU of cpus= leaves them bound with soft, too" \
    planned 0 \
    "$far 0-1" web.cfg 'nodes="2"' 'cpus="0-1"'
check "with hard the vCPUs are bound to the CPUs of cpus= on the nodes" \
    planned 0 \
    "$far 5" web.cfg 'nodes="2"' 'cpus="0-1,5"' 'nodes_cpus="hard"'
check "with a list each vCPU is bound by its own CPUs" planned 0 \
    "$far 0,4" web.cfg 'nodes="2"' 'cpus=["0","3-4"]' 'nodes_cpus="hard"'
check "a warning names the one vCPU whose memory is remote" \
    planned 0 "web: warning: memory on \
node 2 is remote to vCPU 0, which may only run on CPUs 0 (node 0), distance 31" \
    web.cfg 'nodes="2"' 'cpus=["0","3-4"]'
check "cpus_soft= leaves the vCPUs as configured" planned 0 \
    "web: 506 MiB and 2 vCPUs: memory from node 2, vCPUs as configured" \
    web.cfg 'nodes="2"' 'cpus_soft="0-1"' 'nodes_cpus="hard"'
on_host --json web.cfg 'nodes="2"' 'cpus="0-1"' 'nodes_cpus="hard"' |
    tr -d ' \n' > out
check "JSON has the same virtual nodes" \
    grep -q '"vcpu_nodes":"0","vcpu_cpus":"0-1"' out

# --- CPUs on nodes without memory ---

# Two sockets of four nodes; nodes 1 and 5 have memory.
half_bare=${four_nodes%unit/*}hosts/plain/half-bare.json

check "CPUs near memory without CPUs count" planned 0 \
    "web: 516 MiB and 12 vCPUs: memory from node 5, vCPUs prefer CPUs 16-31" \
    --host "$half_bare" web.cfg vcpus=12
check "the plan says how far these CPUs are" \
    planned 0 "web: CPUs 16-19,24-31 are on \
nodes 4,6-7, which have no memory: distance 16 from node 5" \
    --host "$half_bare" web.cfg vcpus=12
check "with strict a CPU on a node without memory counts" planned 0 \
    "web: CPU 31 is on node 7, which has no memory: distance 16 from node 5" \
    --host "$half_bare" web.cfg 'nodes_mode="strict"' 'cpus="31"' vcpus=1
check "a named node without memory gets no warning" \
    [ -z "$(on_host --host "$half_bare" web.cfg 'nodes="5"' 'cpus="30-31"' \
    2>&1 | grep warning)" ]
check "the warning names the remote node" planned 0 "web: warning: memory on node 1 is \
remote: the vCPUs may only run on CPUs 30-31 (node 7), distance 32" \
    --host "$half_bare" web.cfg 'nodes="1"' 'cpus="30-31"'
on_host --host "$half_bare" --json web.cfg 'cpus="8-11"' > out
check "JSON has the line about distance" grep -q '"far_cpus": *"CPUs 8-11 are on node 2' out
check "numa-info shows the node that they count for" \
    [ "$("$numa" numa-info --host "$half_bare" -o HOME 6 | tail -n 1)" = "   5" ]

# --- a line for many nodes ---

awk -v nodes=12 -v cpus=2 -v domains=2 -v vcpus=1 \
    -f "${four_nodes%/*}/large-host.awk" > large.json
sed -i '/"node": 7,/s/"free_bytes": [0-9]*/"free_bytes": 20971520/' large.json
printf 'name="x"\nmemory=99999999\n' > huge.cfg
check \
    "with strict the error has the sum, the least and the most of twelve nodes" \
    planned 3 "x: nothing fits: nodes_mode=\"strict\": 100390626 MiB needed, not\
 available from nodes 0-11; 12 nodes have 101396 MiB free, 101396 MiB usable:\
 from 20 MiB on node 7 to 9216 MiB on node 0; 'xl numa-info' shows each" \
    --host large.json huge.cfg 'nodes_mode="strict"'

finish
