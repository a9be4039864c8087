# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node
#
# xl numa-snapshot: what the file has is what the installed xl and the
# hypervisor say, and a file is replaced as a whole or not at all.

. /root/lib.sh

file=/tmp/host.json

snapshot() {
    xl numa-snapshot $file > "$out" 2> "$err"
    cat "$out" "$err"
}

# The values of some keys, from the lines that have all of them; texts without
# their quotes.
values() { # KEY...
    awk -v keys="$*" '
        BEGIN { nr = split(keys, key, " ") }
        {
            text = ""
            for (i = 1; i <= nr; i++) {
                at = index($0, "\"" key[i] "\": ")
                if (!at)
                    next
                value = substr($0, at + length(key[i]) + 4)
                if (value ~ /^"/) {
                    value = substr(value, 2)
                    sub(/".*/, "", value)
                }
                else
                    sub(/[, ].*/, "", value)
                text = text (i > 1 ? " " : "") value
            }
            print text
        }' $file
}

# The lines of one list.
list() { # KEY
    sed -n "/^    \"$1\": \[/,/^    \]/p" $file | sed '1d;$d'
}

# --- the host ----------------------------------------------------------------

stock_cpus() {
    stock-xl info -n | awk '
        /^[a-z]+ *:/ { table = $1 }
        table ~ /^cpu/ && /^ *[0-9]+: / { sub(":", ""); print $1, $4, $3, $2 }'
}

free_bytes() {
    rig-free | awk '{ printf "%d %.0f\n", $1, $2 * 4096 }'
}

rows() {
    list distances | tr -d '[], ' | tr -s '\n'
}

stock_rows() {
    numa_info | awk '{ gsub(",", "", $4); print $4 }'
}

hardware() {
    snapshot
    is "$(values cpu node socket core)" "$(stock_cpus)" \
        "CPUs are where the installed xl has them"
    is "$(values node total_bytes | awk '{ print $1, $2 / 1048576 }')" \
        "$(numa_info | awk '{ print $1, $2 }')" "nodes have their sizes"
    is "$(values node free_bytes)" "$(free_bytes)" \
        "free bytes are the hypervisor's"
    is "$(values node dma_bytes | grep "^$(dma_node) ")" \
        "$(dma_node) $(($(dma_pages) * 4096))" "DMA bytes are the hypervisor's"
    is "$(rows)" "$(stock_rows)" "distances are those of the installed xl"
    is "$(values pool cpus)" "0 $(cpus_of "$(nodes)")" \
        "the snapshot has one cpupool"
    is "$(values xen)" "$(stock-xl info | awk '
        /^xen_major/ { major = $3 }
        /^xen_minor/ { print major "." $3 }')" "the release is Xen's"
}

# "NUMBER", or "NUMBER BYTES", of the objects of one type in XML for lstopo.
in_xml() { # TYPE
    sed -n "s/^<object type=\"$1\" os_index=//p" /tmp/host.xml |
        sed 's/^"\([0-9]*\)".* local_memory="\([0-9]*\)".*/\1 \2/
             s/^"\([0-9]*\)".*/\1/' | sort -n
}

picture() {
    xl numa-snapshot --hwloc /tmp/host.xml
    is "$(in_xml NUMANode)" "$(values node total_bytes)" \
        "XML of hwloc has Xen's nodes"
    is "$(in_xml PU)" "$(stock_cpus | awk '{ print $1 }')" \
        "XML of hwloc has Xen's CPUs"
}

# What a file has of it too, of the running host or, with --host, of a file.
info() { # [ARG...]
    xl numa-info "$@" -o "NODE,CPUS,TOTAL,FREE,USABLE,RESERVED,DISTANCES,PCI,\
DOMAINS,TAKEN,DMA,DEVICES,NAMES" 2> "$err"
    xl vcpu-list "$@" -o NAME,ID,VCPU,HARD,SOFT
    xl info -n "$@" -o CPU,CORE,SOCKET,NODE,ONLINE
}

# --- domains -----------------------------------------------------------------

# "all" is what the host has.
stock_affinities() { # NAME
    stock-xl vcpu-list "$1" | awk -v all="$(cpus_of "$(nodes)")" '
        NR > 1 {
            gsub(/all/, all)
            print $(NF - 2), $NF
        }'
}

# Leaves what is said of one alone in $file.
domain() { # DOMID
    awk -v domid="$1" '
        /"domid":/ { here = $2 == domid "," }
        here' $whole > $file
}

# Pages that are its own.
bytes_of() {
    pages_of "$1" | awk '{ pages += $2 } END { printf "%.0f\n", pages * 4096 }'
}

looks_as_it_is() { # NAME REQUEST
    domain "$(domid "$1")"
    is "$(values name)" "$1" "domain $1 has its name"
    is "$(values hard soft)" "$(stock_affinities "$1")" \
        "domain $1 has the affinities of its vCPUs"
    is "$(values memory_bytes)" "$(bytes_of "$1")" "domain $1 has its memory"
    is "$(sed -n 's/.*"request": \(.*\),$/\1/p' $file)" "$2" \
        "domain $1 has its request"
    is "$(sed -n 's/^ *"nodes": "\(.*\)",$/\1/p' $file)" \
        "$(node_affinity "$1")" "domain $1 has its node affinity"
}

domains() {
    create idle "two words" 'nodes="0-1"' 'nodes_policy="packed"' vcpus=2 \
        memory=64
    create idle ours memory=32
    stock_create idle plain memory=32 'cpus="3-4"'
    snapshot
    is "$(values domid | one_line)" "$(rig-xen domains | awk '{ print $2 }' |
        one_line)" "all domains are in it"
    take_report
    whole=$file file=/tmp/domain.json
    looks_as_it_is "two words" '{ "nodes": "0-1", "nodes_policy": "best" }'
    looks_as_it_is ours '{ }'
    looks_as_it_is plain null
    is "$(info --host $whole)" "$(info)" \
        "numa-info, vcpu-list and info show the snapshot like the host"
    domain 0
    is "$(values name) $(values pv)" "Domain-0 true" "the snapshot has Domain-0"
    file=$whole report=''
    destroy_all
}

in_flight() { # NODE
    hold "$1" 100
    snapshot
    is "$(values node reserved_bytes |
        awk '$2 >= 98 * 1048576 && $2 <= 124 * 1048576 { print $1 }')" "$1" \
        "the snapshot has the reservation of a create in flight"
    go_on
    destroy_all
}

# --- files -------------------------------------------------------------------

mode() {
    stat -c %a "$1"
}

is_complete() { # FILE
    [ "$(head -n 1 "$1")" = '{' ] && [ "$(tail -n 1 "$1")" = '}' ]
}

# The file that was there has other names, by which it can be seen.
replaced() {
    mkdir /tmp/d
    cd /tmp/d || return
    xl numa-snapshot a
    is "$(mode a)" 644 "all users may read the file"
    (umask 077; xl numa-snapshot b)
    is "$(mode b)" 600 "the umask can limit who may read the file"
    echo old > c
    ln c hard
    ln -s c soft
    xl numa-snapshot soft
    is "$(cat hard)" old "a file is replaced, not written into"
    ok "the file has the new snapshot" is_complete c
    is "$(readlink soft)" c "a link stays a link"
    is "$(echo *)" "a b c hard soft" "no other file is left"
    xl numa-snapshot /dev/stdout | cat > piped
    ok "a pipe is written to" is_complete piped
    xl numa-snapshot > shown
    ok "standard output is the default" is_complete shown
    cd /
}

fails() { # STATUS TEXT ARG...
    fails_status=$1 fails_text=$2
    shift 2
    xl numa-snapshot "$@" > "$out" 2> "$err"
    is "$? $(cat "$err" "$out")" "$fails_status $fails_text" \
        "numa-snapshot $* prints one line"
}

errors() {
    mkdir /tmp/small
    mount -t tmpfs -o size=4k none /tmp/small
    echo old > /tmp/small/h
    fails 1 "xl: cannot write '/tmp/small/h': No space left on device" \
        /tmp/small/h
    is "$(cat /tmp/small/*)" old \
        "the old file stays after a failure, and no other is left"
    umount /tmp/small
    fails 1 "xl: cannot write '/nosuch/h': No such file or directory" /nosuch/h
    fails 1 "xl: cannot write '/tmp': Is a directory" /tmp
    fails 2 "xl: numa-snapshot: one argument too many: 'b': see 'xl\
 numa-snapshot --help'" a b
    xl numa-snapshot > /dev/full 2> "$err"
    is "$? $(head -n 1 "$err")" \
        "1 xl: cannot write the output: No space left on device" \
        "a full disk is reported"
}

hardware
picture
domains
in_flight "$(roomy 150 | awk '{ print $1 }')"
replaced
errors
done_testing
