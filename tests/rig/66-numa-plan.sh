# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node
# thorough: a plan for each kind of create
#
# xl numa-plan, just before a create, names the nodes that the hypervisor then
# counts the guest's pages on.

. /root/lib.sh

# The nodes that memory is planned for, of the one domain in /tmp/plan.json.
planned_nodes() {
    json_lines < /tmp/plan.json | sed -n 's/^node://p' | sort -n | one_line
}

config_of() { # NAME
    echo "/root/$1.cfg"
}

# Plans and creates a guest that stays; settle() looks at all of them.
: > /tmp/planned

plan_and_create() { # CONFIG KEY=VALUE...
    config=$1
    shift
    name=g$(wc -l < /tmp/planned)
    xl numa-plan --json "$(config_of "$config")" "name=\"$name\"" "$@" \
        > /tmp/plan.json 2> "$err"
    echo "$name|$?|$(planned_nodes)|$config $*" >> /tmp/planned
    sed -n 's/.*"plan":"\([^"]*\)".*/\1/p' /tmp/plan.json > "/tmp/plan.$name"
    xl -v create "$(config_of "$config")" "name=\"$name\"" "$@" > "$out" \
        2> "/tmp/created.$name"
    echo $? > "/tmp/status.$name"
}

same_line() { # NAME
    cat "/tmp/plan.$1"
    grep "'$1': " "/tmp/created.$1"
    [ -s "/tmp/plan.$1" ] &&
        grep -qF "'$1': $(cat "/tmp/plan.$1")" "/tmp/created.$1"
}

settle() {
    take_report
    while IFS='|' read -r name status nodes what; do
        is "$status $(cat "/tmp/status.$name")" "${1:-0} 0" \
            "$what: plan and create end with the same status"
        is "$(nodes_of "$name")" "$nodes" "$what: the pages are on nodes $nodes"
        ok "$what: the create has the same plan, and so the same need" \
            same_line "$name"
    done < /tmp/planned
    report=''
    : > /tmp/planned
    destroy_all
    await 30 nothing_dies
}

series() { # NODE NODE NODE
    plan_and_create idle "nodes=\"$2\"" memory=64
    plan_and_create idle-pvh "nodes=\"$1,$2\"" memory=90
    plan_and_create idle memory=160
    plan_and_create idle-pvh memory=75 'nodes_policy="first"'
    plan_and_create idle memory=110 'nodes_policy="worst"'
    plan_and_create idle memory=61 vcpus=2 "cpus=\"$(cpus_of "$3")\""
    plan_and_create idle-pvh memory=50 "cpus_soft=\"nodes:$3\""
    plan_and_create idle memory=40 vcpus=4
    plan_and_create idle memory=48 "nodes=\"$2\"" 'nodes_mode="strict"'
    plan_and_create idle memory=33 "nodes=\"$1\"" "nodes_mem=\"$2\""
    settle
}

largest_mib() {
    usable_list | awk '$2 > most { most = $2 } END { print int(most / 256) }'
}

# On the host as it is, without guests.
large() { # NODE
    plan_and_create idle memory=$(($(largest_mib) + 60))
    settle
    plan_and_create idle-pvh "nodes=\"$1\"" memory=$(($(free_mib "$1") + 60))
    settle 4
}

refused() { # NODE
    set -- "nodes=\"$1\"" 'nodes_mode="strict"' "memory=$(($(free_mib "$1") + 9))"
    xl numa-plan /root/idle.cfg 'name="g"' "$@" > "$out" 2> "$err"
    is "$? $(sed -n '1s/ [0-9]* MiB.*//p' "$out")" \
        '3 g: nothing fits: nodes_mode="strict":' \
        "strict ends the plan with status 3 and a reason"
    ok "strict ends the create with status 3, too" expect 3 create idle g "$@"
}

together() {
    xl numa-plan --json /root/idle.cfg /root/idle-pvh.cfg 'name="g"' \
        memory=300 > "$out" 2> "$err"
    both=$(json_lines < "$out" | sed -n 's/^node://p' | one_line)
    create idle a memory=300
    create idle-pvh b memory=300
    is "$(nodes_of a) $(nodes_of b)" "$both" \
        "two guests are created where they were planned together"
    remove a b
}

defaults() { # CONF
    echo 'nodes_policy = "worst"' > "$1"
    plan_and_create idle memory=100
    rm "$1"
    cp /etc/xen/xl.conf /tmp/xl.conf
    echo "vm.cpumask=\"$(cpus_of "$2")\"" >> /etc/xen/xl.conf
    plan_and_create idle memory=100
    settle
    cp /tmp/xl.conf /etc/xen/xl.conf
}

# With guests on it, and what is known of them: as elsewhere, without Xen.
elsewhere() { # NODE
    create idle a memory=70 "nodes=\"$1\""
    xl numa-snapshot /tmp/host.json 2> "$err"
    for words in memory=120 memory=900 'nodes="all"'; do
        set -- /root/idle-pvh.cfg 'name="g"' "$words"
        xl numa-plan "$@" > /tmp/here 2> "$err"
        su nobody -c "xl numa-plan --host /tmp/host.json $1 '$2' '$3'" \
            > /tmp/there 2> "$err"
        ok \
            "$words: a saved host gives the same plan without root, byte for byte" \
            cmp /tmp/here /tmp/there
    done
    remove a
}

# One is being built: what it was promised is not planned with.
in_flight() { # NODE
    hold "$1" 200
    xl numa-plan /root/idle.cfg 'name="h"' "nodes=\"$1\"" \
        memory=$(($(free_mib "$1") - 100)) > "$out" 2> "$err"
    is $? 4 "no plan uses memory that a create in flight has reserved"
    go_on
    remove g
}

# ---- xl create --plan ----

# The same room on every node, but on that of the DMA zone: some of that counts
# only if nothing else is left, so there is none.
leave_room() { # MIB
    usable_list | while read -r node pages _; do
        ballast=$((pages / 256 - $1))
        [ "$node" != "$(dma_node)" ] || ballast=$(($(free_mib "$node") - 90))
        [ $ballast -lt 8 ] ||
            create idle "ballast$node" "nodes=\"$node\"" memory=$ballast
    done
}

# Three of the small ones fit on a node, or a large one with a small one: who
# comes first matters.
write_set() { # ROOM
    for number in 1 2 3; do
        write_config "small$number" $(($1 * 3 / 10))
    done
    for number in 1 2 3; do
        write_config "large$number" $(($1 * 58 / 100))
    done
}

write_config() { # NAME MIB
    {
        cat /root/idle.cfg
        printf 'name = "%s"\nmemory = %s\nnodes_max = 1\n' "$1" "$2"
        echo 'nodes_mode = "strict"'
    } > "/tmp/set/$1.cfg"
}

# "name node" of all.
placed() {
    rig-pages | awk '/^(small|large)/ && $3 > 0 { print $1, $2 }' | sort
}

planned() { # FILE
    json_lines < "$1" | awk -F : '
        $1 == "name" { name = $2 }
        $1 == "nodes" && name != "" {
            print name, $2
            name = ""
        }' | sort
}

by_plan() {
    room=$(usable_list | awk '{ mib = int($2 / 256) }
        NR == 1 || mib < least { least = mib } END { print least }')
    mkdir -p /tmp/set
    leave_room "$room"
    write_set "$room"
    cd /tmp/set || return
    expect 3 xl numa-plan small?.cfg large?.cfg > "$out" 2> "$err"
    is $? 0 "six guests do not fit in the order of their names"
    expect 0 xl numa-plan --optimise --json small?.cfg large?.cfg \
        > /tmp/plan.json 2> "$err"
    is $? 0 "six guests fit in another order"
    cd /root || return
    expect 0 xl -N create --plan /tmp/plan.json 2> "$err"
    is "$? $(placed)" "0 " "xl -N create --plan says that the plan holds"
    expect 0 xl create --plan /tmp/plan.json > "$out" 2> "$err"
    is $? 0 "xl create --plan creates the guests"
    is "$(placed)" "$(planned /tmp/plan.json)" \
        "each guest is where it was planned"
    is "$(placed | awk '{ n[$2]++ } END { for (i in n) print n[i] }' | one_line)" \
        "2 2 2" "each node has two of the guests"
    stock-xl list -l small1 > /tmp/stored.json
    ok "no guest keeps the plan's nodes as its request" \
        not grep -q '"numa/nodes"' /tmp/stored.json
    # shellcheck disable=SC2046 # words
    remove $(placed | cut -d ' ' -f 1)
    create idle intruder 'nodes="1"' memory=$((room / 5))
    expect 3 xl create --plan /tmp/plan.json > "$out" 2> "$err"
    is "$? $(placed)" "0 " \
        "xl create --plan creates nothing if another guest is in the way"
    is "$(sed "s/'.*' needs [0-9]*/'G' needs N/" "$err")" \
        "xl: the plan no longer holds: 'G' needs N MiB, and does not fit\
 on node 1: nothing is created" "a line says why the plan no longer holds"
    destroy_all
}

not() {
    ! "$@"
}

not_root() {
    su nobody -c 'xl numa-plan /dev/null "name=\"g\""' > "$out" 2> "$err"
    is "$? $(cat "$err" "$out")" "1 xl: cannot open '/dev/xen/privcmd':\
 Permission denied: expected root in dom0, or a saved host: --host FILE" \
     "numa-plan without root prints one line"
}

echo 'nobody:x:65534:65534::/:/bin/sh' >> /etc/passwd
# shellcheck disable=SC2046 # words
set -- $(roomy 250)
series "$1" "$2" "${3:-$2}"
large "$2"
refused "$2"
together
defaults /etc/xen/xl-numa.conf "$2"
elsewhere "$2"
in_flight "$2"
by_plan
not_root
done_testing
