# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
#
# What xl numa-info prints of a host's hardware and free memory is what the
# installed xl and the hypervisor say. For the tests of two topologies.

. /root/lib.sh

# The table, with all columns, is printed once; names may have spaces.
take_info() {
    xl numa-info -o "$columns" > /tmp/table 2> "$err" || cat "$err"
}

columns=NODE,CPUS,TOTAL,FREE,USABLE,USED,RESERVED,DISTANCES,PCI,DOMAINS,DMA
columns=$columns,DEVICES,NAMES

# Columns of it, a line for each node or for one.
info() { # COLUMNS [NODE]
    awk -v wanted="$1" -v node="${2:-all}" '
        NR == 1 {
            nr = split(wanted, name, ",")
            for (i = 1; i <= NF; i++)
                number[$i] = i
            next
        }
        node == "all" || node == $1 {
            for (i = 13; i < NF; i++)
                $13 = $13 " " $(i + 1)
            for (i = 1; i <= nr; i++)
                printf "%s%s", $number[name[i]], i < nr ? " " : "\n"
        }' /tmp/table
}

# The installed xl's: "node total free distances" as they are now.
stock_nodes() {
    stock-xl info -n | tee /tmp/stock | awk '
        /^[a-z]+ *:/ { table = $1 }
        table ~ /^node/ && /^ *[0-9]+: / { sub(":", ""); print $1, $2, $3, $4 }'
}

each_node() { # COMMAND: its output after the number of each node
    numa_info | while read -r each _; do
        echo "$each $("$1" "$each")"
    done
}

cpus_or_none() {
    cpus=$(cpus_of "$1")
    echo "${cpus:-none}"
}

# "node free reserve": bytes to plan with.
usable_bytes() {
    dma=$(dma_pages)
    rig-free | awk -v dma="$dma" -v node="$(dma_node)" '
        { printf "%d %.0f\n", $1, ($2 - ($1 == node ? dma : 0)) * 4096 }'
}

# "node value" of one number in /tmp/json.
json() { # KEY
    awk -F : -v key="$1" '
        $1 == "node" { node = $2 }
        $1 == key { print node, $2 }' /tmp/json
}

free_bytes() {
    rig-free | awk '{ printf "%d %.0f\n", $1, $2 * 4096 }'
}

same_as_stock() {
    take_info
    xl numa-info --json | json_lines > /tmp/json
    is "$(info NODE,TOTAL,FREE,DISTANCES)" "$(stock_nodes)" \
        "sizes, free memory and distances are those of the installed xl"
    is "$(info NODE,CPUS)" "$(each_node cpus_or_none)" \
        "the CPUs are those of the installed xl"
    is "$(json free_bytes)" "$(free_bytes)" "free bytes are the hypervisor's"
    usable
}

# lib.sh takes a node without memory, which starts at 0 as well, for the one
# with the DMA zone.
usable() {
    if nodes | grep -qw "$(dma_node)"; then
        is "$(json usable_bytes)" "$(usable_bytes)" \
            "usable memory is what is free and not in the DMA zone"
    else
        skip "the node of the DMA zone is not known"
    fi
}

stock_devices() {
    awk -v node="$1" '
        /^[0-9a-f]+:[0-9a-f]+:[0-9a-f]+\.[0-9] / {
            known = 1
            if ($2 == node) {
                text = text sep $1
                sep = ","
            }
        }
        END { print !known ? "-" : text == "" ? "none" : text }' /tmp/stock
}

devices() {
    is "$(info NODE,DEVICES)" "$(each_node stock_devices)" \
        "PCI devices are where the installed xl has them"
    is "$(info NODE,PCI)" "$(info NODE,DEVICES | awk '{
            n = split($2, all, ","); print $1, $2 == "none" ? 0 : $2 == "-" ?
            "-" : n }')" "and are counted"
}

# --- as virsh prints it ------------------------------------------------------

# Not in $( ), which takes the last lines away.
prints() { # FILE ARG...
    prints_file=$1
    shift
    xl numa-info "$@" > "$out" 2> "$err"
    cat "$err" "$out"
    cmp "$prints_file" "$out"
}

free_memory() { # NODE
    rig-free | awk '
        { printf "%5d: %10d KiB\n", $1, $2 * 4; sum += $2 * 4 }
        END { printf "--------------------\nTotal: %10d KiB\n\n", sum }' \
        > /tmp/all
    rig-free "$1" | awk '{ printf "%d: %d KiB\n\n", $1, $2 * 4 }' > /tmp/one
    awk '/^Total/ { printf "Total: %d KiB\n\n", $2 }' /tmp/all > /tmp/total
    ok "numa-info --free --all prints the figures of the hypervisor" \
        prints /tmp/all --free --all
    ok "numa-info --free $1 prints the figures of the hypervisor" \
        prints /tmp/one --free "$1"
    ok "numa-info --free prints the figures of the hypervisor" \
        prints /tmp/total --free
}

node_info() {
    stock-xl info > /tmp/info
    awk -v machine="$(uname -m)" '
        { value[$1] = $3 }
        END {
            printf "CPU model:           %s\n", machine
            printf "CPU(s):              %d\n", value["nr_cpus"]
            printf "CPU frequency:       %d MHz\n", value["cpu_mhz"]
            printf "CPU socket(s):       1\n"
            printf "Core(s) per socket:  %d\n", value["cores_per_socket"]
            printf "Thread(s) per core:  %d\n", value["threads_per_core"]
            printf "NUMA cell(s):        %d\n", value["nr_nodes"]
        }' /tmp/info > /tmp/nodeinfo
    xl numa-info --nodeinfo > "$out" 2> "$err"
    is "$(sed '/^Memory/d' "$out")" "$(cat /tmp/nodeinfo)" \
        "numa-info --nodeinfo prints the figures of the host"
    is "$(awk '/^Memory size: / { print int($3 / 1024) }' "$out")" \
        "$(awk '/^total_memory/ { print $3 }' /tmp/info)" \
        "numa-info --nodeinfo prints the memory size"
}

# "id KiB distances CPUs" of each cell.
cells() {
    awk -F "'" '
        /<cell id/ { id = $2; mib = 0; distances = cpus = sep = "" }
        /<memory/ { mib = $0; gsub(/.*KiB.>|<.*/, "", mib); mib /= 1024 }
        /<sibling/ { distances = distances sep $4; sep = "," }
        /<\/distances/ { sep = "" }
        /<cpus/ { nr = $2 }
        /<cpu / { cpus = cpus sep $2 ":" $8 ":" $4; sep = ","; nr-- }
        /<\/cell>/ { print id, mib, distances, cpus (nr ? " " nr : "") }' \
        "$out"
}

stock_cells() {
    awk '
        /^[a-z]+ *:/ { table = $1; next }
        !/^ *[0-9]+: / { next }
        { sub(":", "") }
        table ~ /^cpu/ {
            cpus[$4] = cpus[$4] sep[$4] $1 ":" $2 ":" $3
            sep[$4] = ","
        }
        table ~ /^node/ { print $1, $2, $4, cpus[$1] }' /tmp/stock
}

xml() {
    xl numa-info --xml > "$out" 2> "$err"
    is "$(cells)" "$(stock_cells)" \
        "numa-info --xml has sizes, distances, CPUs, cores and sockets"
    is "$(sed -n '1,2p;$p' "$out")" "<topology>
  <cells num='$(numa_info | wc -l)'>
</topology>" "in one element"
}

hardware() {
    same_as_stock
    devices
    free_memory 0
    node_info
    xml
}
