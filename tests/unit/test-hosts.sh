#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Hosts in the files of hwloc and libvirt, and as numactl -H, xl info -n and
# lscpu -p print them: each is what NAME.host beside it
# says (UPDATE_EXPECTED=1 writes those), and hwloc's own programs, where they
# are installed, agree, also about what we write for lstopo.
#
#   HWLOC_XML=DIR   the *.xml of this directory as well, with hwloc's programs
#                   alone as the witness: hwloc's sources have many machines

show=${top_builddir:-.}/tests/unit/show-host
hosts=${top_srcdir:-.}/tests/hosts
. "${top_srcdir:-.}/tests/unit/tap.sh"

# Says how they differ.
same() { # FILE FILE
    diff "$1" "$2" > "$tmp/diff" && return
    sed 's/^/# /' "$tmp/diff"
    return 1
}

is_expected() { # FILE
    [ -z "${UPDATE_EXPECTED:-}" ] || "$show" "$1" > "${1%.*}.host"
    "$show" "$1" > "$tmp/host"
    same "${1%.*}.host" "$tmp/host"
}

# "node N BYTES" for each node that may be used, and a line of their CPUs.
nodes_of_hwloc() { # XML
    hwloc-info -i "$1" numa:all 2> /dev/null | awk '
        / os index = / { os = $4 }
        / local memory = / { memory[os] = $4 }
        / cpuset = / && !/complete|allowed/ { nodes[os] = 1 }
        END { for (os in nodes)
                  print "node", os, memory[os] ? memory[os] : 0 }' | sort
    echo "cpus $(hwloc-calc -i "$1" --po -I pu all 2> /dev/null)"
}

nodes_of_ours() { # HOST
    sed -n '/, 0 free/d; s/^node \([0-9]*\): \([0-9]*\) bytes.*/node \1 \2/p' \
        "$1" | sort
    echo "cpus $(sed -n '/offline/d; s/^cpu \([0-9]*\):.*/\1/p' "$1" |
        paste -s -d , -)"
}

sorted_cpus() {
    sed 's/^cpus //' | tr , '\n' | sort -n | paste -s -d , -
}

# Each CPU of a node is one that hwloc has near to it.
are_near() { # XML HOST
    sed -n 's/^cpu \([0-9]*\): node \([0-9]*\),.*[0-9]$/\1 \2/p' "$2" |
        sort -k 2,2n | awk '{ cpus[$2] = cpus[$2] " " $1 }
            END { for (node in cpus) print node cpus[node] }' |
        while read -r node cpus; do
            near=$(hwloc-calc -i "$1" --disallowed --pi --po -I pu \
                "numa:$node" 2> /dev/null)
            for cpu in $cpus; do
                case ,$near, in
                *,$cpu,*) ;;
                *) echo "# CPU $cpu is not near node $node" ;;
                esac
            done
        done > "$tmp/far"
    cat "$tmp/far"
    [ ! -s "$tmp/far" ]
}

agrees_with_hwloc() { # XML
    "$show" "$1" > "$tmp/host" || return
    nodes_of_hwloc "$1" > "$tmp/theirs"
    nodes_of_ours "$tmp/host" > "$tmp/ours"
    grep '^cpus' "$tmp/theirs" | sorted_cpus > "$tmp/their-cpus"
    grep '^cpus' "$tmp/ours" | sorted_cpus > "$tmp/our-cpus"
    sed -i '/^cpus/d' "$tmp/theirs" "$tmp/ours"
    same "$tmp/theirs" "$tmp/ours" &&
        same "$tmp/their-cpus" "$tmp/our-cpus" && are_near "$1" "$tmp/host"
}

# What lstopo makes of it, it takes without a complaint, and draws the nodes.
lstopo_draws() { # XML
    "$show" --hwloc "$1" > "$tmp/out.xml" || return
    HWLOC_DEBUG_CHECK=1 lstopo-no-graphics -i "$tmp/out.xml" \
        --disallowed --of console > "$tmp/drawing" 2> "$tmp/stderr" || return
    sed 's/^/# /' "$tmp/stderr"
    [ ! -s "$tmp/stderr" ] &&
        [ "$(grep -c NUMANode "$tmp/drawing")" = \
          "$("$show" "$1" | grep -c '^node')" ]
}

# It goes no further than its own release.
hwloc_reads() { # XML
    hwloc-info -i "$1" > "$tmp/info" 2>&1
}

check_hwloc() { # XML
    name=$(basename "$1")
    if hwloc_reads "$1"; then
        check "$name: hwloc agrees" agrees_with_hwloc "$1"
    fi
    check "$name: lstopo draws the host" lstopo_draws "$1"
}

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
for file in "$hosts"/hwloc/*.xml "$hosts"/libvirt/*.xml \
    "$hosts"/printed/*.txt; do
    check "$(basename "$file"): what is in it" is_expected "$file"
done
if command -v hwloc-info > /dev/null; then
    for xml in "$hosts"/hwloc/*.xml ${HWLOC_XML:+"$HWLOC_XML"/*.xml}; do
        check_hwloc "$xml"
    done
    for xml in "$hosts"/libvirt/*.xml; do
        check "$(basename "$xml"): lstopo draws it" lstopo_draws "$xml"
    done
fi

finish
