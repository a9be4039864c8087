# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node
#
# What does not fit: strict fails and leaves nothing, preferred goes elsewhere
# and says so.

. /root/lib.sh

# Our last line, which is the last of all, with the figures of the host.
explains() { # NODE MIB DOM0-MIB FREE-MIB
    last=$(tail -n 1 "$err")
    echo "$last"
    echo "$last" | grep -q "^numa: error: .*nodes_mode=\"strict\"" || return 1
    echo "$last" | awk -v node="$1" -v mib="$2" -v dom0="$3" -v free="$4" '
        function number(before, after) {
            if (!match($0, before "[0-9]+" after))
                return -1
            text = substr($0, RSTART, RLENGTH)
            sub(before, "", text)
            return text + 0
        }
        function near(a, b) { return a >= b - 2 && a <= b + 2 }
        {
            needed = number("", " MiB needed")
            has = number("node " node " has ", " MiB free")
            holds = number("Domain-0 holds ", " MiB")
            exit !(needed >= mib && needed <= mib + 16 && near(has, free) &&
                   near(holds, dom0))
        }'
}

dom0_mib() { # NODE
    rig-pages 0 | awk -v node="$1" '$2 == node { print int($3 / 256) }'
}

# The node of which dom0 holds most.
dom0_node() {
    rig-pages 0 | sort -n -r -k 3 | awk 'NR == 1 { print $2 }'
}

refused() { # CONFIG NODE
    free=$(free_mib "$2")
    mib=$((free + 40))
    before=$(rig-free)
    ok "$1, strict: $mib MiB on node $2 with $free free are refused" \
        expect 3 create "$1" g "nodes=\"$2\"" "memory=$mib" \
        'nodes_mode="strict"'
    ok "the last line says why, and what Domain-0 holds there" \
        explains "$2" $mib "$(dom0_mib "$2")" "$free"
    ok "nothing is left of the refused guest" nothing_left "$before"
}

# The domain builder says when it begins to ask for memory.
asks_no_page() { # CONFIG NODE
    xl -vvv create "/root/$1.cfg" 'name="g"' "nodes=\"$2\"" memory=100 \
        > "$out" 2> "$err"
    ok "$1: xl -vvv shows when memory is asked for" \
        grep -q xc_dom_boot_mem_init "$err"
    remove g
    xl -vvv create "/root/$1.cfg" 'name="g"' "nodes=\"$2\"" \
        "memory=$(($(free_mib "$2") + 40))" 'nodes_mode="strict"' \
        > "$out" 2> "$err"
    ok "$1: a guest that does not fit is refused before memory is asked for" \
        not grep -q xc_dom_boot_mem_init "$err"
}

not() {
    ! "$@"
}

refused_everywhere() {
    mib=$(rig-free | awk '{ n += $2 } END { print int(n / 256) + 100 }')
    before=$(rig-free)
    ok "strict: $mib MiB, more than the host has, are refused" \
        expect 3 create idle g "memory=$mib" 'nodes_mode="strict"'
    ok "nothing is left of that guest" nothing_left "$before"
}

dom0_pages() {
    rig-pages 0 | awk '{ n += $3 } END { print n + 0 }'
}

# With autoballoon xl takes from Domain-0 what is not free on the host.
balloons() { # NODE
    cp /etc/xen/xl.conf /tmp/xl.conf
    echo 'autoballoon="on"' >> /etc/xen/xl.conf
    mib=$(rig-free | awk '{ n += $2 } END { print int(n / 256) + 40 }')
    pages=$(dom0_pages)
    before=$(rig-free)
    ok "autoballoon, strict: $mib MiB on node $1 are refused" \
        expect 3 create idle g "nodes=\"$1\"" "memory=$mib" \
        'nodes_mode="strict"'
    # A Xen of one's own says that it finds no QEMU.
    is "$(grep -vc 'qemu-xen is unavailable' "$err") $(
        grep -c '^numa: error: ' "$err")" "2 1" \
        "one line of ours follows the first line of xl"
    is "$(dom0_pages)" "$pages" \
        "Domain-0 has not released memory for that guest"
    ok "nothing is left of the guest with autoballoon" nothing_left "$before"
    ok "preferred: a guest of $mib MiB is created" created idle g "memory=$mib"
    ok "Domain-0 has released memory for that guest" \
        test "$(dom0_pages)" -lt "$pages"
    remove g
    stock-xl mem-set 0 $((pages / 256))
    cp /tmp/xl.conf /etc/xen/xl.conf
}

fits() { # NODE
    ok "strict: a guest that fits is created" \
        created idle g "nodes=\"$1\"" 'nodes_mode="strict"' memory=100
    is "$(nodes_of g)" "$1" "every page is on the node of the strict guest"
    remove g
}

populate_on_demand() { # NODE
    set -- "nodes=\"$1\"" 'nodes_mode="strict"' memory=64 maxmem=128
    before=$(rig-free)
    ok "strict with memory < maxmem is refused for PVH" \
        expect 1 create idle-pvh g "$@"
    for word in idle-pvh.cfg nodes_mode strict 'memory = maxmem'; do
        ok "the error has '$word'" grep -q "$word" "$err"
    done
    ok "nothing is left of the guest with populate on demand" \
        nothing_left "$before"
    ok "strict with memory < maxmem is accepted for PV" created idle g "$@"
    remove g
}

# Each "N MiB went to node M", and their sum, against what is there; a few
# pages are for the domain itself.
figures_are_true() { # NODE
    line=$(grep '^numa: warning: ' "$err")
    echo "$line"
    pages_of g
    pages_of g | awk -v line="$line" -v own="$1" '
        function near(a, b) { return a >= b - 20 && a <= b + 20 }
        $1 != own {
            mib = 0
            if (match(line, "[0-9.]+ MiB went to node " $1 "([^0-9]|$)"))
                mib = substr(line, RSTART) + 0
            if (!near(mib * 256, $2))
                bad = 1
            away += $2
        }
        END {
            match(line, "[0-9.]+ of [0-9.]+ MiB")
            exit bad || !away || !near(substr(line, RSTART) * 256, away)
        }'
}

# The node that is nearest to another, the lowest id first.
nearest() { # FROM
    numa_info | awk -v from="$1" '
        $1 == from { nr = split($4, d, ",") }
        END {
            for (i = 1; i <= nr; i++)
                if (i - 1 != from && (!best || d[i] < d[best]))
                    best = i
            print best - 1
        }'
}

goes_elsewhere() { # CONFIG NODE
    mib=$(($(free_mib "$2") + 100))
    ok "$1, preferred: the same guest is created" \
        created "$1" g "nodes=\"$2\"" "memory=$mib"
    is "$(nodes_of g)" "$({ echo "$2"; nearest "$2"; } | sort -n | one_line)" \
        "the guest is on node $2 and, for the rest, on the nearest node"
    ok "a warning has the true figures" figures_are_true "$2"
    ok "most of the guest is on node $2" test "$(free_mib "$2")" -le 70
    remove g
}

# --- memory that another takes between the plan and the build ---------------

# Takes memory from a node under the feet of the one that is held.
take() { # NODE MIB
    stock_take=$(stock-xl create /root/idle.cfg 'name="thief"' \
        "cpus_soft=\"node:$1\"" "memory=$2" 2>&1) || echo "# $stock_take"
}

# A node whose memory stock can be made to take: not that of the DMA zone.
plain_node() {
    for plain in $(roomy 400); do
        [ "$plain" = "$(dma_node)" ] || echo "$plain"
    done | head -n 1
}

taken_meanwhile() { # MODE NODE
    free=$(free_mib "$2")
    mib=$((free * 2 / 3))
    hold "$2" $mib "nodes_mode=\"$1\""
    ok "$1: a create of $mib of $free MiB on node $2 has planned and is held" \
        is_held
    take "$2" $((free / 2))
    is "$(nodes_of thief)" "$2" \
        "stock xl takes $((free / 2)) MiB of this memory"
    go_on
}

runs_out_strict() { # NODE
    before=$(rig-free)
    taken_meanwhile strict "$1"
    is $? 3 "strict: the build runs out of memory, and the create fails"
    ok "the last line says why" explains_build "$1"
    remove thief
    ok "nothing is left of the create that failed" nothing_left "$before"
    destroy_all
}

explains_build() { # NODE
    cat "$err"
    tail -n 1 "$err" | grep '^numa: error: .*nodes_mode="strict"' |
        grep -q "node $1"
}

runs_out_preferred() { # NODE
    taken_meanwhile preferred "$1"
    is $? 0 "preferred: the create goes on"
    ok "a warning has the true figures" figures_are_true "$1"
    is "$(nodes_of g)" "$({ echo "$1"; nearest "$1"; } | sort -n | one_line)" \
        "the guest is on node $1 and, for the rest, on the nearest node"
    remove g thief
}

dom0=$(dom0_node)
# shellcheck disable=SC2046 # words
set -- $(roomy 400)
refused idle "$dom0"
refused idle-pvh "$dom0"
refused idle "$1"
asks_no_page idle "$dom0"
asks_no_page idle-pvh "$dom0"
refused_everywhere
fits "$2"
populate_on_demand "$2"
balloons "$2"
goes_elsewhere idle "$dom0"
goes_elsewhere idle-pvh "$dom0"
plain=$(plain_node)
runs_out_strict "$plain"
runs_out_preferred "$plain"
done_testing
