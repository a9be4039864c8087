# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology odd --sched credit2
# thorough: what it tests seldom changes
#
# xl vcpu-list and xl info -n: without an option of ours they are the installed
# xl's; with one they say the same, and more, of the same state.

. /root/lib.sh

# The installed xl under its own name, which it prints.
mkdir /tmp/stock
ln -s "$(readlink -f "$(command -v stock-xl)")" /tmp/stock/xl

streams() { # XL ARG...
    "$@" > "$out" 2> "$err" < /dev/null
    echo "status $?"
    cat "$out" "$err"
}

same() { # ARG...
    is "$(streams xl "$@")" "$(PATH=/tmp/stock:$PATH streams xl "$@")" \
        "xl $* prints what the installed xl prints, to the byte"
}

# What xl itself has to say, and its status.
fails() { # STATUS MESSAGE ARG...
    expected_status=$1 expected_line=$2
    shift 2
    xl "$@" > "$out" 2> "$err"
    is "$? $(cat "$err")" "$expected_status xl: $expected_line" "xl $*"
}

ours() { # ARG...: without the heading, one blank between words
    xl "$@" | sed '1d; s/^ *//; s/ *$//' | tr -s ' '
}

json() { # ARG...: in one line
    xl "$@" --json | tr -d '\n ' | sed 's/"//g'
}

# "vcpu cpu hard soft" of stock's list; "-" has no CPU.
stock_vcpus() { # NAME
    stock-xl vcpu-list "$1" | awk 'NR > 1 {
        print $(NF - 6), $(NF - 5), $(NF - 2), $NF }'
}

our_vcpus() { # NAME
    ours vcpu-list -o VCPU,CPU,HARD,SOFT "$1"
}

one() { # COLUMN NAME
    ours vcpu-list -o "$1" "$2"
}

stock_output() {
    same vcpu-list g
    same vcpu-list "a b" g
    same vcpu-list nosuch
    same vcpu-list -- g
    same info -n
    same info --num
    same info nr_cpus
}

vcpus() { # NODE-OF-G
    for name in g "a b" wide; do
        is "$(our_vcpus "$name")" "$(stock_vcpus "$name")" \
            "$name: numbers, CPUs and affinity are stock's"
    done
    is "$(ours vcpu-list -o NAME,ID "a b")" "a b $(domid "a b")" \
        "a name with a blank is shown"
    is "$(one NODE g)" "$(cpu_list | awk -v cpu="$(one CPU g)" '
        $1 == cpu { print $2 }')" "NODE is where its CPU is"
    is "$(one STATE g)" blocked "a guest that waits is blocked"
    is "$(one POOL g)" Pool-0 "POOL"
    is "$(one TIME g)" "$(stock-xl vcpu-list g | awk '
        NR > 1 { print $(NF - 3) }')" "TIME is stock's"
    is "$(xl vcpu-list -o +NODE g | head -n 1 | tr -s ' ')" \
        "NAME ID VCPU CPU STATE TIME HARD SOFT NODE" \
        "-o +NODE prints the columns of the installed xl, and NODE"
}

# Made by ours, with vCPUs bound; then bound elsewhere by stock.
on_plan() { # NODE OTHER-NODE
    is "$(one ON_PLAN g)" yes "ON_PLAN is yes for a guest on its plan"
    is "$(one ON_PLAN "a b")" - "ON_PLAN is - for a guest of the installed xl"
    stock-xl vcpu-pin g 0 "$(cpus_of "$2")"
    is "$(one NODE,ON_PLAN g)" "$2 no" \
        "ON_PLAN is no for a guest that is bound elsewhere"
    stock-xl vcpu-pin g 0 "$(cpus_of "$1")"
}

vcpus_json() { # NODE
    cpus=$(cpus_of "$1")
    text=$(json vcpu-list g)
    ok "JSON begins with the version" \
        contains "$text" "{version:2,vcpus:[{name:g,"
    ok "JSON has sets as text" contains "$text" "hard:$cpus,"
    ok "JSON has sets as lists if asked for" contains \
        "$(xl vcpu-list --json=lists g | tr -d '\n "')" \
        "hard:[${cpus%-*},${cpus#*-}]"
    ok "JSON has what is on the plan" \
        contains "$text" "on_plan:true,pool:Pool-0}]}"
    ok "JSON has a full set as the existing CPUs" contains \
        "$(json vcpu-list "a b")" \
        "hard:$(cpu_list | ranges),"
    is "$(json vcpu-list | grep -o 'state:' | wc -l)" \
        "$(stock-xl vcpu-list | sed 1d | wc -l)" \
        "vcpu-list without a name lists the vCPUs of all domains"
}

contains() {
    echo "$1"
    case $1 in
    *"$2"*) ;;
    *) return 1 ;;
    esac
}

dom0_offline() {
    stock-xl vcpu-set 0 1
    await 20 sh -c "stock-xl vcpu-list 0 | grep -q -e '--p'"
    is "$(one CPU,NODE,STATE,ON_PLAN 0 | tail -n 1)" "- - offline -" \
        "xl vcpu-set: an offline vCPU is on no CPU and no node"
    is "$(one TIME 0 | tail -n 1)" \
        "$(stock-xl vcpu-list 0 | awk 'END { print $(NF - 3) }')" \
        "the time that the vCPU ran is kept"
    ok "JSON has the same for an offline vCPU" contains "$(json vcpu-list 0)" \
        "vcpu:1,cpu:null,node:null,state:offline,time_ns:"
    stock-xl vcpu-set 0 2
}

# Each vCPU on a CPU of its own: both run whenever somebody looks.
spinning() { # NODE
    create spin s vcpus=2 memory=64 "cpus=\"$(cpus_of "$1")\""
    is "$(one STATE s | sort -u)" running "a vCPU that spins is running"
    stock-xl pause s
    is "$(one STATE s | sort -u)" runnable \
        "a vCPU that would run if its domain were not paused is runnable"
    remove s
}

going() {
    while_gone_goes vcpu-list -o NAME,ID
    is "$? $(cat "$err")" "0 " "a domain that ends during the list is no error"
    is "$(awk 'NR > 1 { print $1 }' "$out" | sort -u | one_line)" \
        "Domain-0 a g wide" \
        "the list has the other domains, and not the ended one"
    while_gone_goes vcpu-list -o NAME gone g
    is "$? $(cat "$err")" "1 xl: no domain 'gone'" \
        "a domain that ends and was named is an error"
    is "$(sed 1d "$out")" g "the other named domain is listed"
}

# What it prints is taken back.
cpuset() { # NODE OTHER-NODE
    first=$(cpus_of "$1") second=$(cpus_of "$2")
    union="${first%-*},$second"
    create idle apart vcpus=2 memory=64 "cpus=[\"${first%-*}\",\"$second\"]"
    is "$(xl vcpu-list --cpuset apart)" "$union" \
        "--cpuset prints all CPUs that the vCPUs may run on"
    create idle again vcpus=2 memory=64 \
        "cpus=\"$(xl vcpu-list --cpuset apart)\""
    is "$(affinity again 1 | cut -d ' ' -f 1)" "$union" \
        "cpus= reads what --cpuset prints"
    is "$(xl vcpu-list --cpuset "a b")" "$(cpu_list | ranges)" \
        "--cpuset of a guest that may run anywhere prints all CPUs"
    remove apart again
}

pool() { # NODE
    cpus=$(cpus_of "$1")
    stock-xl cpupool-cpu-remove Pool-0 "$cpus"
    stock-xl cpupool-create 'name="my pool"' "cpus=\"$cpus\"" > "$out"
    stock_create idle p 'pool="my pool"' memory=64
    is "$(one POOL p)" "my pool" "POOL names the cpupool of a domain"
    is "$(one HARD p)" all \
        "the affinity in another cpupool is the text of the installed xl"
    is "$(xl vcpu-list --cpuset p)" "$cpus" \
        "--cpuset prints CPUs of the cpupool only"
    is "$(ours info -n -o CPU,POOL | awk '/my pool/ { print $1 }' | ranges)" \
        "$cpus" "xl info -n shows the cpupool of a CPU"
    remove p
    stock-xl cpupool-destroy "my pool"
    is "$(ours info -n -o CPU,POOL | awk '$2 == "-" { print $1 }' | ranges)" \
        "$cpus" "xl info -n shows a CPU in no cpupool"
    is "$(ours info -n -o ONLINE | sort -u)" yes "a CPU in no cpupool is online"
    stock-xl cpupool-cpu-add Pool-0 "$cpus"
}


info() {
    is "$(ours info -n -o CPU,CORE,SOCKET,NODE | awk '{ $1 = $1; print }')" \
        "$(stock-xl info -n | awk '
            /^[a-z]+ *:/ { cpus = /^cpu/ }
            cpus && /^ *[0-9]+: / { sub(":", ""); $1 = $1; print }')" \
        "xl info -n -o: cores, sockets and nodes are stock's"
    text=$(json info -n)
    ok "JSON of info -n begins with the version" \
        contains "$text" "{version:2,cpus:[{cpu:0,"
    stock-xl info -n | awk '
        $NF ~ /^[0-9]+$/ && /^[0-9a-f]+:[0-9a-f]+:/ { print $1, $2 }' \
        > /tmp/devices
    ok "the installed xl knows the node of some PCI devices" \
        test -s /tmp/devices
    while read -r address node; do
        ok "JSON: $address is on node $node" contains "$text" \
            "{address:$address,node:$node}"
    done < /tmp/devices
    is "$(echo "$text" | grep -o '{node:[0-9]*' | one_line)" \
        "$(numa_info | awk '{ print "{node:" $1 }' | one_line)" \
        "JSON has the nodes of the installed xl"
    while read -r node size _ distances; do
        nodes_json=$(echo "$text" | sed 's/.*nodes:/nodes:/; s/devices.*//')
        entry=${nodes_json##*"{node:$node,"}
        ok "JSON has the distances of node $node" contains "$entry" \
            "distances:[$distances]"
        bytes=${entry#total_bytes:}
        is "$((${bytes%%,*} / 1048576))" "$size" \
            "JSON has the size of node $node in bytes"
        bytes=${entry#*free_bytes:}
        away=$((${bytes%%,*} / 4096 - $(rig-free "$node" | awk '{ print $2 }')))
        ok "JSON has the free memory that the hypervisor reports" \
            test "${away#-}" -le 64
    done < /tmp/nodes
}

errors() {
    fails 2 "info: -o, --json and --host need -n: see 'xl info --help'" \
        info --json
    fails 2 "vcpu-list: --cpuset needs one domain, not 0: see 'xl vcpu-list\
 --help'" vcpu-list --cpuset
    fails 1 "no domain 'nosuch'" vcpu-list -o NAME nosuch
    for number in 4321 4294967295 4294967296; do
        fails 1 "no domain '$number'" vcpu-list -o NAME "$number"
        is "$(wc -l < "$out")" 0 "nothing is listed after an error"
    done
    fails 1 "no domain ''" vcpu-list --cpuset ''
    xl vcpu-list -o NAME nosuch g > "$out" 2> "$err"
    is "$? $(sed 1d "$out" | one_line)" "1 g" \
        "of two domains the existing one is listed, with status 1"
    for command in 'vcpu-list --json' 'info -n --json' 'vcpu-list -o ID' \
        'vcpu-list --cpuset g'; do
        # shellcheck disable=SC2086 # words
        xl $command > /dev/full 2> "$err"
        is "$? $(cat "$err")" \
            "1 xl: cannot write the output: No space left on device" \
            "xl $command reports a full disk"
    done
    echo 'nobody:x:65534:65534::/:/bin/sh' >> /etc/passwd
    chmod 755 / /tmp
    for command in 'vcpu-list --json' 'info -n -o CPU'; do
        su nobody -c "xl $command" > "$out" 2> "$err"
        is "$? $(cat "$out" "$err")" "1 xl: cannot open '/dev/xen/privcmd':\
 Permission denied: expected root in dom0, or a saved host: --host FILE" \
            "xl $command without root says what it expects"
    done
}

# shellcheck disable=SC2046 # words
set -- $(roomy 200)
create idle g "nodes=\"$1\"" 'nodes_cpus="hard"' memory=64
stock_create idle "a b" memory=64
stock_create idle wide vcpus=2 memory=64 "cpus=\"$(cpus_of "$2")\""
stock_output
vcpus "$1"
on_plan "$1" "$2"
vcpus_json "$1"
errors
going
remove wide
cpuset "$1" "$2"
info
for last; do :; done
# Before a vCPU of dom0 goes offline: afterwards Xen 4.17 may hang here.
pool "$last"
dom0_offline
spinning "$2"
done_testing
