# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/numa-info.sh disable=SC2317
# rig: --topology 4node --put tests/rig/numa-info.sh:/root/numa-info.sh
#
# xl numa-info: the hardware, the domains, creates in flight, errors.

. /root/numa-info.sh

# --- domains -----------------------------------------------------------------

# MiB on each node of the guests that are named.
mib_of() {
    rig-pages | awk -v names=" $* " '
        {
            domain = $0
            sub(/ [0-9]+ [0-9]+$/, "", domain)
            gsub(" ", "_", domain)
        }
        index(names, " " domain " ") { pages[$(NF - 1)] += $NF }
        END { for (node in pages) print node, int(pages[node] / 256) }' |
        sort -n
}

domains() { # NODE NODE
    create idle one "nodes=\"$1\"" memory=64
    create idle "two words" "nodes=\"$1,$2\"" memory=64
    create idle everywhere 'nodes="all"' memory=64
    take_info
    is "$(info NODE,USED)" "$(mib_of one two_words everywhere)" \
        "USED is the memory of our guests"
    is "$(info NODE,NAMES "$1")" "$1 one,two words" \
        "DOMAINS counts the guests with affinity to node $1"
    is "$(info NODE,NAMES "$2")" "$2 two words" \
        "DOMAINS counts the guests with affinity to node $2"
    is "$(info DOMAINS "$1")" 2 "no other guest is counted"
    ok "every guest of our xl has a record" not grep -q USED "$err"
    stock_create idle plain memory=32
    take_info
    ok "a line counts domains of the installed xl, which have no record" \
        grep -qx 'xl: USED leaves out 1 domain without a record of its memory' \
        "$err"
    destroy_all
}

not() {
    ! "$@"
}

# Nodes of which it holds more than half.
dom0_holds() {
    { numa_info | awk '{ print $1, $2 }'; rig-pages 0; } | awk '
        NF == 2 { mib[$1] = $2 }
        NF == 3 && $3 / 256 > mib[$2] / 2 { print $2 }' | one_line
}

dom0_is_told() {
    take_info
    is "$(sed -n 's/^xl: Domain-0 holds .* of node \([0-9]*\):.*/\1/p' "$err" |
        one_line)" "$(dom0_holds)" "the nodes that Domain-0 has most of"
}

# --- creates -----------------------------------------------------------------

reserved() { # NODE
    info RESERVED "$1"
}

near() { # A B
    [ "$1" -ge $(($2 - 2)) ] && [ "$1" -le $(($2 + 24)) ]
}

half_built() {
    sed -n 's/^xl: .* is half built, .*/&/p' "$err"
}

half_built_line() { # DOMID
    echo "xl: domain 'g' ($1) is half built, and its creator (process" \
        "$(cat /tmp/held)) is dead: 'xl destroy $1' removes it"
}

killed_create() { # NODE
    hold "$1" 100
    take_info
    ok "a create in flight has its memory reserved" near "$(reserved "$1")" 100
    is "$(half_built)" "" "a create in flight is not reported as half built"
    usable=$(info USABLE "$1") free=$(info FREE "$1") dma=$(info DMA "$1")
    is "$usable" $((free - dma - $(reserved "$1"))) \
        "reserved memory is not usable"
    kill -KILL "$(cat /tmp/held)"
    wait "$held"
    domid=$(domid g)
    take_info
    is "$(reserved "$1")" 0 "nothing is reserved once the create is killed"
    is "$(half_built)" "$(half_built_line "$domid")" \
        "a warning names the domain of the killed create"
    create idle other memory=32
    take_info
    is "$(half_built)" "$(half_built_line "$domid")" \
        "the warning stays after another create"
    stock-xl destroy "$domid"
    await 30 nothing_dies
    take_info
    is "$(half_built)" "" "the warning ends when the domain is destroyed"
    destroy_all
}

# --- errors ------------------------------------------------------------------

refuses() { # STATUS TEXT ARG...
    refuses_status=$1 refuses_text=$2
    shift 2
    xl numa-info "$@" > "$out" 2> "$err"
    is "$? $(cat "$err" "$out")" "$refuses_status $refuses_text" \
        "numa-info $* prints one line"
}

one_row() {
    xl numa-info 0 2> "$err" | awk '{ print $1 }' > "$out"
    is "$(one_line < "$out")" "NODE 0" "numa-info 0 prints one row"
}

not_root() {
    echo 'nobody:x:65534:65534::/:/bin/sh' >> /etc/passwd
    su nobody -c 'xl numa-info' > "$out" 2> "$err"
    is "$? $(cat "$err" "$out")" "1 xl: cannot open '/dev/xen/privcmd':\
 Permission denied: expected root in dom0, or a saved host: --host FILE" \
     "numa-info without root prints one line"
}

errors() {
    usage="see 'xl numa-info --help'"
    refuses 1 "xl: no node 99: this host has $(numa_info | ranges)" 99
    refuses 1 "xl: no node 99: this host has $(numa_info | ranges)" --free 99
    refuses 2 "xl: numa-info: NODE is a number, not '1x': $usage" 1x
    refuses 2 "xl: numa-info: --all needs --free: $usage" --all
    refuses 2 "xl: numa-info: --all takes no NODE: $usage" --free --all 1
    refuses 2 "xl: numa-info: --xml takes no NODE: $usage" --xml 1
    xl numa-info --free --xml > "$out" 2> "$err"
    is "$? $(wc -l < "$err")" "2 1" "two forms at once are refused"
    one_row
    not_root
    xl numa-info > /dev/full 2> "$err"
    is "$? $(head -n 1 "$err")" \
        "1 xl: cannot write the output: No space left on device" \
        "a full disk is reported"
}

hardware
# shellcheck disable=SC2046 # words
set -- $(roomy 150)
dom0_is_told
domains "$1" "$2"
killed_create "$2"
errors
done_testing
