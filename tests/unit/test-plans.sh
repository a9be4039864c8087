#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Plans for every host in tests/hosts with every policy, as tests/hosts/plans
# has them. They were looked through once; a change there is one of behaviour.
#
#   test-plans.sh --write    writes tests/hosts/plans anew

# Where `make check` runs it; else from the top of a source tree, built in it.
hosts=${top_srcdir:-.}/tests/hosts
numa=${XL_NUMA:-${top_builddir:-.}/xl/xl-numa}
golden=$hosts/plans
. "${top_srcdir:-.}/tests/unit/tap.sh"

# MiB and vCPUs: for a part of a node, for many CPUs, for several nodes.
guests='600:2 3000:10 20000:6 400000:40'

# Hosts that are a word. The last one has 8192 CPUs and 24 TiB.
synthetic='node:64 core:2 pu:1
package:16 node:1 core:28 pu:2
node:64 core:8 pu:2
node:64(memory=412316860416) core:64 pu:2'

plan() { # HOST POLICY MIB VCPUS
    "$numa" numa-plan --host "$1" 'name="g"' "nodes_policy=\"$2\"" \
        "memory=$3" "vcpus=$4" /dev/null 2> /dev/null
    echo "exit $?"
}

# A line for each guest and policy. hwloc takes up to a second to make a host
# of a word: once is enough.
plans() { # HOST
    if [ ! -e "$1" ]; then
        "$numa" numa-snapshot --host "$1" "$host_file" 2> /dev/null
        set -- "$host_file"
    fi
    for guest in $guests; do
        for policy in first best worst balanced; do
            plan "$1" "$policy" "${guest%:*}" "${guest#*:}" |
                awk -v policy="$policy" '
                    /^g: / && ++nr <= 2 { sub(/^g: /, ""); text = text "; " $0 }
                    /^exit / { status = $2 }
                    END { print policy " " status text }'
        done
    done
}

all_hosts() {
    for host in "$hosts"/*.json "$hosts"/*/*.json "$hosts"/*/*.xml \
        "$hosts"/*/*.txt; do
        echo "$host"
    done
    echo "$synthetic"
}

all_plans() {
    all_hosts | while read -r host; do
        echo "= ${host#"$hosts/"}"
        plans "$host"
    done
}

got=$(mktemp) || exit 1
host_file=$got.json
trap 'rm -f "$got" "$got.hosts" "$host_file"' EXIT
if [ "${1:-}" = --write ]; then
    all_plans > "$golden"
    exit
fi

if ! "$numa" numa-plan --host 'node:2 pu:1' 'name="g"' memory=64 /dev/null \
    > /dev/null 2>&1; then
    echo "1..0 # SKIP built without hwloc"
    exit
fi
all_plans > "$got"
# One test for each host, by its lines.
all_hosts | sed "s,^$hosts/,," > "$got.hosts"
while read -r host; do
    [ "$(sed -n "\\,^= $host\$,,/^= /p" "$got" | sed '/^= /d')" = \
        "$(sed -n "\\,^= $host\$,,/^= /p" "$golden" | sed '/^= /d')" ]
    result $? "$host"
done < "$got.hosts"
[ $failed = 0 ] || diff "$golden" "$got" | sed 's/^/# /'
finish
