#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The commands that take --host, on a saved host with domains.

numa=$(cd "${top_builddir:-.}" && pwd)/xl/xl-numa
hosts=$(cd "${top_srcdir:-.}" && pwd)/tests/hosts
. "${top_srcdir:-.}/tests/unit/tap.sh"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
cp "$hosts/rig-4node.json" host.json

# says STATUS COMMAND ARG...: ends so, and prints what is in `expected`.
says() {
    status=$1 command=$2
    shift 2
    "$numa" "$command" --host host.json "$@" > out 2>&1
    got=$?
    [ $got = "$status" ] && cmp -s expected out && return
    echo "# status $got, expected $status"
    diff expected out | sed 's/^/# /'
    return 1
}

# --- numa-info ---

cat > expected << 'END'
NODE CPUS TOTAL FREE USABLE USED RESERVED DISTANCES   PCI DOMAINS
   0 0-1   1024  934    743    -        0 10,21,31,31   -       1
   1 2-3   1024  923    923    -        0 21,10,31,31   -       2
   2 4-5   1024  988    988    -        0 31,31,10,21   -       1
   3 6-7   1024  306    306    -        0 31,31,21,10   -       0
END
check "numa-info: the nodes, but for what is not saved" says 0 numa-info
cat > expected << 'END'
NODE NAMES
   1 one,two words
END
check "numa-info: one node and its domains" says 0 numa-info -o NODE,NAMES 1
echo "xl: no node 4: this host has 0-3" > expected
check "numa-info: no such node" says 1 numa-info 4
printf '2: 1012728 KiB\n\n' > expected
check "numa-info --free: of one node" says 0 numa-info --free 2
echo "xl: numa-info: --nodeinfo is of the running host alone: see 'xl numa-info\
 --help'" > expected
check "numa-info --nodeinfo: needs a running host" \
    says 2 numa-info --nodeinfo

# What libvirt's form has of the host.
essence() { # JSON
    sed '/"xen"/d; s/ "free_bytes".*//; /"pools"/,$d' "$1"
}

xml_is_the_host() {
    "$numa" numa-info --host host.json --xml > host.xml &&
        "$numa" numa-snapshot --host host.xml again.json 2> out || return
    essence host.json > before
    essence again.json > after
    diff before after > out && return
    sed 's/^/# /' out
    return 1
}

check "numa-info --xml: is read as the same host" xml_is_the_host

finish
