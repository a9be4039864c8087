# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node
#
# A guest with nodes= lands there, page for page, PV and PVH.

. /root/lib.sh

# Guests whose pages are looked at together, in settle().
: > /tmp/landed

lands() { # CONFIG NODES-VALUE MIB EXPECTED-NODE...
    lands_config=$1 lands_value=$2 lands_mib=$3
    lands_name=g$(wc -l < /tmp/landed)
    shift 3
    create "$lands_config" "$lands_name" "nodes=$lands_value" \
        "memory=$lands_mib" || sed 's/^/# /' "$err"
    echo "$lands_name|$*|$lands_config, $lands_mib MiB, nodes=$lands_value" \
        >> /tmp/landed
}

settle() {
    take_report
    while IFS='|' read -r name expected what; do
        case $expected in
        *' '*)
            # shellcheck disable=SC2086 # words
            ok \
                "$what: the memory is in equal shares on $expected, and nowhere else" \
                shares_even "$name" $expected ;;
        *)  is "$(nodes_of "$name")" "$expected" \
                "$what: every page is on node $expected" ;;
        esac
    done < /tmp/landed
    report=''
    : > /tmp/landed
    destroy_all
    await 30 nothing_dies
}

every_node() { # CONFIG MIB
    for node in $(roomy $(($2 + 90))); do
        lands "$1" "\"$node\"" "$2" "$node"
    done
    settle
}

# Four nodes in a row, to write them in all ways.
forms() {
    # shellcheck disable=SC2046 # words
    set -- $(roomy 250)
    if [ $# -lt 4 ] || [ "$4" != $(($1 + 3)) ]; then
        skip "no four nodes in a row with 250 MiB free"
        return
    fi
    lands idle "$3" 160 "$3"
    lands idle "\"$2-$3\"" 160 "$2" "$3"
    lands idle-pvh "\"$2-$3\"" 301 "$2" "$3"
    lands idle "[$2,$3]" 99 "$2" "$3"
    lands idle "[\"$1-$2\",\"$4\"]" 61 "$1" "$2" "$4"
    lands idle "\"$1-$4,^$2\"" 130 "$1" "$3" "$4"
    lands idle-pvh "\"$1-$4,^$2\"" 130 "$1" "$3" "$4"
    lands idle "\"$4, $1\"" 33 "$1" "$4"
    settle
    added "$2" "$3"
}

# nodes=["1"] in the file, += in another line of it.
added() {
    sed "\$a nodes = [ \"$1\" ]" /root/idle.cfg > /root/added.cfg
    create /root/added.cfg g "nodes+=[\"$2\"]" memory=160
    ok "nodes += adds a node to those that the file names" \
        shares_even g "$1" "$2"
    remove g
}

all_nodes() {
    # shellcheck disable=SC2046 # words
    set -- $(roomy 250)
    [ "$*" = "$(nodes)" ] || {
        skip "no test: some node is too small for an equal share" 2
        return
    }
    lands idle '"all"' $((100 * $#)) "$@"
    lands idle-pvh '"all"' $((100 * $#)) "$@"
    settle
}

# Most of the node that has the DMA zone, so that the zone is needed.
dma_zone() {
    dma=$(dma_node)
    mib=$(($(free_mib "$dma") - 90))
    if [ $mib -le "$(usable_mib "$dma")" ]; then
        skip "less than 90 MiB are free in the DMA zone" 3
        return
    fi
    lands idle "\"$dma\"" $mib "$dma"
    settle
    lands idle-pvh "\"$dma\"" $mib "$dma"
    settle
    stock_create idle g "cpus_soft=\"node:$dma\"" memory=$mib
    isnt_alone=$(nodes_of g)
    ok "stock beside it: $mib MiB with cpus_soft=\"node:$dma\" spill" \
        test "$isnt_alone" != "$dma"
    remove g
}

# Without CPUs bound, Xen prints "all".
vcpus_follow() {
    # shellcheck disable=SC2046 # words
    set -- $(roomy 100)
    node=$2
    cpus=$(cpus_of "$node")
    create idle g "nodes=\"$node\"" memory=64 vcpus=2
    is "$(affinity g 0), $(affinity g 1)" "all / $cpus, all / $cpus" \
        "the vCPUs prefer the CPUs of the node"
    is "$(node_affinity g)" "$node" "xl list -n shows the node"
    remove g
    create idle g "nodes=\"$node\"" 'nodes_cpus="hard"' memory=64 vcpus=2
    is "$(affinity g 0 | cut -d ' ' -f 1), $(affinity g 1 | cut -d ' ' -f 1)" \
        "$cpus, $cpus" \
        "nodes_cpus=\"hard\": the vCPUs are bound to the node's CPUs"
    remove g
    create idle g "nodes=\"$node\"" 'nodes_cpus="none"' memory=64 vcpus=2
    is "$(affinity g 0), $(affinity g 1)" "all / all, all / all" \
        "nodes_cpus=\"none\": the vCPUs run anywhere"
    is "$(nodes_of g)" "$node" "nodes_cpus=\"none\": the memory is on the node"
    remove g
}

ours() { # counts our lines on stderr
    grep -c '^numa: ' "$err"
}

talk() {
    # shellcheck disable=SC2046 # words
    set -- $(cpu_nodes)
    create idle g "nodes=\"$2\"" memory=64
    cp "$err" /tmp/err.ours
    cp "$out" /tmp/out.ours
    remove g
    stock_create idle g memory=64
    ok "a create that fits prints on stderr what stock prints" \
        cmp "$err" /tmp/err.ours
    ok "a create that fits prints on stdout what stock prints" \
        cmp "$out" /tmp/out.ours
    remove g
    xl -v create /root/idle.cfg 'name="g"' "nodes=\"$2\"" memory=64 2> "$err"
    is "$(ours)" 2 "xl -v create prints two lines of ours"
    is "$(grep -c "node $2" "$err")" 1 "one of the two lines names the node"
    remove g
    xl -v create /root/idle.cfg 'name="g"' memory=64 2> "$err"
    is "$(ours)" 2 "xl -v create without nodes= prints two lines of ours"
    remove g
}

# What others than root could read or write of what a create leaves, and what
# the guest itself could write of what we read, whatever the umask is.
whose() { # NODE
    rm -rf /run/xen/numa
    (umask 0; created idle g "nodes=\"$1\"" memory=64 \
        'nodes_apart="neighbour"' &&
        xl node-affinity --keep g "$1") > "$out" 2>&1 || cat "$out"
    id=$(domid g)
    is "$(find /run/xen/numa -exec stat -c %U-%a-%F {} + | sort | one_line)" \
        "root-600-regular root-700-directory" "only root can read /run/xen/numa"
    is "$(stat -c '%U %a' /var/lib/xen/userdata-d."$id".*.xl-numa)" \
        "root 600" "only root can read what is kept for a domain"
    for path in "/local/domain/$id/memory/target" "/local/domain/$id/name" \
        "$(xenstore-read "/local/domain/$id/vm")"; do
        ok "the guest can read ${path%/*-*}, and not write it" \
            grants "$path" "(n0,r$id)"
    done
    for path in "/local/domain/$id/numa" "/libxl/$id/numa"; do
        ok "the guest cannot even read ${path%%/[0-9]*}/.../numa" grants "$path" "(n0)"
    done
    remove g
}

# Each key from PATH down has these permissions.
grants() { # PATH PERMISSIONS
    xenstore-ls -fp / | grep -E "^$1(/| )" > /tmp/permissions
    [ -s /tmp/permissions ] && ! grep -vF "  $2" /tmp/permissions
}

# JSON on one line, less what placement and chance decide.
other_than_placement() {
    tr -d ' \n' | sed -E '
        s/"nodemap":\[[0-9,]*\],?//
        s/"vcpu_(hard|soft)_affinity":\[(\[[0-9,]*\],?)*\],?//g
        s/"numa_placement":"False",?//
        s/"uuid":"[^"]*",?//
        s/,}/}/g'
}

json_list() { # KEY < JSON: the numbers of the (first) list, as ranges
    tr -d ' \n' | sed -nE "s/.*\"$1\":\[+([0-9,]*)\].*/\1/p" | tr , '\n' |
        ranges
}

# ARGS...: what a dry run shows is what a create then does.
dry_run() {
    xl create -n /root/idle.cfg 'name="g"' "$@" > /tmp/ours.json 2> "$err"
    stock-xl create -n /root/idle.cfg 'name="g"' "$@" > /tmp/stock.json 2>&1
    is "$(other_than_placement < /tmp/ours.json)" \
        "$(other_than_placement < /tmp/stock.json |
            sed 's/^Parsingconfigfrom[^{]*//')" \
        "xl create -n $*: as stock's, but for the placement"
    xl -N create /root/idle.cfg 'name="g"' "$@" 2> "$err" |
        sed 's/"uuid":.*//' > /tmp/ours-N.json
    is "$(cat /tmp/ours-N.json)" "$(sed 's/"uuid":.*//' /tmp/ours.json)" \
        "xl -N create prints the same"
    is "$(no_guests && echo none)" none "a dry run makes no domain"
    create idle g "$@"
    is "$(json_list nodemap < /tmp/ours.json)" "$(node_affinity g)" \
        "the nodes of the dry run are those of the create"
    is "$(json_list nodemap < /tmp/ours.json)" \
        "$(pages_of g | ranges)" \
        "the nodes of the dry run are those of the pages"
    is "all / $(json_list vcpu_soft_affinity < /tmp/ours.json)" \
        "$(affinity g)" "the CPUs of the dry run are those of the create"
    remove g
}

every_node idle 160
every_node idle-pvh 160
every_node idle 850
forms
all_nodes
dma_zone
vcpus_follow
talk
# shellcheck disable=SC2046 # words
set -- $(cpu_nodes)
whose "$2"
dry_run "nodes=\"$2-$3\"" memory=100
dry_run 'nodes_policy="worst"' memory=100
done_testing
