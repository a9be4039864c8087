# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Topology files, sourced by rig. README.md describes the format.
# topology_read fills these; the rest of rig only reads them:

node_cpus=()            # CPUs of each node
node_mib=()             # memory of each node in MiB
declare -A distance=()  # distance[A,B]; what is not set is other_distance
other_distance=20       # QEMU's default
threads=1               # of each core
pci_nodes=()            # one PCI bus with a device for each entry
dom0_mib=768
dom0_vcpus=2
xen_options=()          # hypervisor options, appended as they are

# Xen has 64 nodes at most, unless it was built for fewer (MAX_NUMNODES). More
# CPUs, which it would take, QEMU does not emulate in reasonable time.
readonly max_nodes=64 max_cpus=128

# A host that is larger is scaled down to this.
readonly max_host_cpus=32 max_host_mib=8192

# Where we are in the file, for topology_bad.
topology_file='' topology_line=0

topology_bad() {
    fail "$topology_file:$topology_line: $*"
}

# The path of the topology called $1: a name of ours, or a file.
topology_find() {
    if [[ $1 != */* && -f $rig_dir/topologies/$1 ]]; then
        printf '%s\n' "$rig_dir/topologies/$1"
    elif [[ -f $1 && -r $1 ]]; then
        printf '%s\n' "$1"
    else
        fail "unknown topology '$1': neither a file nor one of" \
             "$(cd "$rig_dir/topologies" && printf '%s ' *)"
    fi
}

# Prints $1 (1024M, 2G, 0) in MiB, or returns 1.
topology_mib() {
    case $1 in
    0)                  echo 0 ;;
    [1-9]*([0-9])[Mm])  echo "${1%?}" ;;
    [1-9]*([0-9])[Gg])  echo $((${1%?} * 1024)) ;;
    *)                  return 1 ;;
    esac
}

topology_number() { # WHAT TEXT MIN MAX
    if [[ ! $2 =~ ^(0|[1-9][0-9]{0,8})$ ]] || (($2 < $3 || $2 > $4)); then
        topology_bad "expected $1, a number from $3 to $4, not '$2'"
    fi
}

topology_node() {
    local word cpus='' mib='' count=1
    for word; do
        case $word in
        cpus=*)   cpus=${word#*=}
                  topology_number cpus "$cpus" 0 $max_cpus ;;
        memory=*) mib=$(topology_mib "${word#*=}") ||
                      topology_bad "expected memory=1024M, =1G or =0," \
                                   "not '$word'" ;;
        count=*)  count=${word#*=}
                  topology_number count "$count" 1 $max_nodes ;;
        *)        topology_bad "expected cpus=, memory= or count=," \
                               "not '$word'" ;;
        esac
    done
    [[ -n $cpus && -n $mib ]] ||
        topology_bad "expected 'node cpus=2 memory=1024M [count=4]'"
    ((cpus > 0 || mib > 0)) ||
        topology_bad "expected a node with CPUs or memory"
    while ((count-- > 0)); do
        node_cpus+=("$cpus")
        node_mib+=("$mib")
    done
}

# Prints the nodes that $1 names: "3" or "0-3".
topology_range() {
    local first last
    [[ $1 =~ ^([0-9]{1,2})(-([0-9]{1,2}))?$ ]] || return 1
    first=$((10#${BASH_REMATCH[1]}))
    last=$((10#${BASH_REMATCH[3]:-$first}))
    ((first <= last)) && seq "$first" "$last"
}

topology_distance() {
    local usage="expected 'distance 31' or 'distance 0-1 2 31 [BACK]'"
    local a b from to
    case $# in
    1)  topology_number distance "$1" 11 254
        other_distance=$1
        return ;;
    3|4) ;;
    *)  topology_bad "$usage" ;;
    esac
    from=$(topology_range "$1") || topology_bad "$usage"
    to=$(topology_range "$2") || topology_bad "$usage"
    topology_number distance "$3" 11 254
    topology_number "distance back" "${4:-$3}" 11 254
    for a in $from; do
        for b in $to; do
            ((a == b)) && continue
            distance[$a,$b]=$3
            distance[$b,$a]=${4:-$3}
        done
    done
}

topology_words() { # KEYWORD [ARG...]
    local key=$1
    shift
    case $key in
    node)       topology_node "$@" ;;
    distance)   topology_distance "$@" ;;
    threads)    [[ $# == 1 ]] || topology_bad "expected 'threads 2'"
                topology_number threads "$1" 1 2
                threads=$1 ;;
    pci)        [[ $# == 1 && $1 == node=* ]] ||
                    topology_bad "expected 'pci node=2'"
                topology_number node "${1#node=}" 0 $((max_nodes - 1))
                pci_nodes+=("${1#node=}") ;;
    dom0_mem)   dom0_mib=$(topology_mib "$*") ||
                    topology_bad "expected 'dom0_mem 768M'" ;;
    dom0_vcpus) [[ $# == 1 ]] || topology_bad "expected 'dom0_vcpus 2'"
                topology_number dom0_vcpus "$1" 1 $max_cpus
                dom0_vcpus=$1 ;;
    xen)        (($# > 0)) || topology_bad "expected 'xen OPTION...'"
                xen_options+=("$@") ;;
    *)          topology_bad "expected node, distance, threads, pci," \
                             "dom0_mem, dom0_vcpus or xen, not '$key'" ;;
    esac
}

topology_sum() {
    local n sum=0
    for n; do
        sum=$((sum + n))
    done
    echo $sum
}

# What only the whole file shows.
topology_check() {
    local key n last=$((${#node_cpus[@]} - 1)) cpus mib
    ((last >= 0)) || topology_bad "expected a 'node' line"
    ((last < max_nodes)) || topology_bad "expected at most $max_nodes nodes"
    for key in "${!distance[@]}" "${pci_nodes[@]/%/,0}"; do
        for n in ${key/,/ }; do
            ((n <= last)) || topology_bad "there is no node $n"
        done
    done
    ((node_cpus[0] > 0 && node_mib[0] > 0)) ||
        topology_bad "expected a node 0 with CPUs and memory: Xen boots there"
    cpus=$(topology_sum "${node_cpus[@]}")
    ((cpus % threads == 0)) ||
        topology_bad "expected whole cores, not $cpus threads"
    ((cpus <= max_cpus)) || topology_bad "expected at most $max_cpus CPUs"
    # Xen and what QEMU loads take about 256 MiB beside dom0.
    mib=$(topology_sum "${node_mib[@]}")
    ((dom0_mib >= 384 && dom0_mib + 256 <= mib)) ||
        topology_bad "expected dom0_mem from 384M to $((mib - 256))M," \
                     "not ${dom0_mib}M"
}

# Prints the tables of host.awk, of a file that our xl reads with --host. A mistake
# in the file is reported by it.
topology_host_tables() { # FILE
    local numa=${build:-$top_dir}/xl/xl-numa
    [[ -x $numa ]] || numa=$(command -v xl)
    "$numa" numa-info --help > /dev/null 2>&1 ||
        fail "'$1' is a saved host: build the tree to read it (--build DIR)," \
             "install libxl-numa, or use the output of 'xl info -n' on that host"
    "$numa" info -n --host "$1" -o CPU,CORE,SOCKET,NODE &&
        "$numa" numa-info --host "$1" -o NODE,TOTAL,FREE,DISTANCES \
            2> /dev/null &&
        "$numa" numa-info --host "$1" -o NODE,DEVICES 2> /dev/null
}

# Prints the topology of a host: a snapshot, XML of hwloc or libvirt, or what
# `xl info -n` or `numactl -H` printed. Prints nothing if $1 is a topology already.
topology_of_host() { # FILE
    local first tables
    read -r first < "$1" || :
    case $first in
    ['{<']*|available:*) tables=$(topology_host_tables "$1") || exit 125 ;;
    host*([[:blank:]]):*) tables=$(cat "$1") ;;
    *)                 return 0 ;;
    esac
    echo "$tables" | awk -v max_cpus=$max_host_cpus -v max_mib=$max_host_mib \
        -f "$rig_dir/host.awk" ||
        fail "'$1' names no CPUs, or no memory, of nodes"
}

topology_parse() {
    local words
    while read -ra words || ((${#words[@]})); do
        ((topology_line += 1))
        [[ ${#words[@]} == 0 || ${words[0]} == '#'* ]] ||
            topology_words "${words[@]}"
    done
}

topology_read() { # NAME|FILE
    local topology
    topology_file=$(topology_find "$1")
    topology=$(topology_of_host "$topology_file") || exit
    if [[ -n $topology ]]; then
        topology_parse <<< "$topology"
        talk "$1: ${#node_cpus[@]} nodes," \
             "$(topology_sum "${node_cpus[@]}") CPUs and" \
             "$(topology_sum "${node_mib[@]}") MiB are emulated"
    else
        topology_parse < "$topology_file"
    fi
    topology_check
}

# Sets $apart to the distance from node $1 to node $2.
topology_apart() {
    apart=${distance[$1,$2]:-$other_distance}
    (($1 != $2)) || apart=10
}

# Prints the topology without its shorthands: dom0 gets it as /root/topology.
topology_print() {
    local a b apart
    for a in "${!node_cpus[@]}"; do
        echo "node $a cpus=${node_cpus[a]} memory=${node_mib[a]}M"
    done
    for a in "${!node_cpus[@]}"; do
        for b in "${!node_cpus[@]}"; do
            topology_apart "$a" "$b"
            echo "distance $a $b $apart"
        done
    done
    for a in "${pci_nodes[@]}"; do
        echo "pci node=$a"
    done
}

# Fills $qemu_machine, QEMU's arguments for this topology.
topology_qemu() {
    local n cpu=0 next spec a b apart
    qemu_machine=(-smp "$(topology_sum "${node_cpus[@]}"),threads=$threads"
                  -m "$(topology_sum "${node_mib[@]}")M")
    for n in "${!node_cpus[@]}"; do
        spec=node,nodeid=$n
        if ((node_cpus[n] > 0)); then
            next=$((cpu + node_cpus[n]))
            spec+=,cpus=$cpu-$((next - 1))
            cpu=$next
        fi
        if ((node_mib[n] > 0)); then
            qemu_machine+=(
                -object "memory-backend-ram,id=m$n,size=${node_mib[n]}M")
            spec+=,memdev=m$n
        fi
        qemu_machine+=(-numa "$spec")
    done
    for a in "${!node_cpus[@]}"; do
        for b in "${!node_cpus[@]}"; do
            topology_apart "$a" "$b"
            qemu_machine+=(-numa "dist,src=$a,dst=$b,val=$apart")
        done
    done
}
