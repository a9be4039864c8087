# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node
# thorough: a guest moves, and all pages are counted six times
#
# xl numa-map, xl numa-stat of a saved host, and its figures and alarm for
# monitoring, beside what Xen itself reports, before and after a move.

. /root/lib.sh

file=/tmp/host.json

# "node pages" of a domain in the saved host, like pages_of.
saved_pages() { # NAME
    xl numa-stat --host $file --json "$1" | json_lines | awk -F : '
        $1 == "node" { node = $2 }
        $1 == "bytes" { print node, $2 / 4096 }'
}

# "MIB NODE" of a remote domain, by the map; and by Xen, away from a node.
remote_on_map() { # NAME
    awk -v name="$1" '/^DOMAIN/ { on = 1 } on && $1 == name { print $2, $4 }' \
        "$out"
}

remote_by_xen() { # NAME HOME
    pages_of "$1" | awk -v home="$2" '
        $1 != home { all += $2 }
        $1 != home && $2 > most { most = $2; node = $1 }
        END { print int(all / 256), node }'
}

# What does not change with every count: the headline and the remote domains.
answer() { # FILE
    sed -n '1p; /^DOMAIN/,$p' "$1"
}

# Likewise, from figures for Prometheus.
exported_pages() { # NAME
    xl numa-stat --pages --openmetrics "$1" | sed -n \
        's/^xen_numa_domain_node_memory_bytes{.*node="\(.*\)"} /\1 /p' |
        awk '$2 { print $1, $2 / 4096 }'
}

looks_right() { # WHEN HEADLINE HOME-OF-WEB
    xl numa-snapshot --pages $file
    for guest in web db; do
        is "$(saved_pages $guest)" "$(pages_of $guest)" \
            "$1: numa-stat --host has the pages of $guest"
        is "$(exported_pages $guest)" "$(pages_of $guest)" \
            "$1: --openmetrics has the pages of the guest"
    done
    xl numa-map --pages > "$out"
    is "$(head -n 1 "$out")" "$2" "$1: numa-map says where the guest is"
    [ -z "$3" ] || is "$(remote_on_map web)" "$(remote_by_xen web "$3")" \
        "$1: and how much is where"
    answer "$out" > /tmp/live
    xl numa-map --host $file > /tmp/saved
    is "$(answer /tmp/saved)" "$(cat /tmp/live)" \
        "$1: the map of the saved host says the same"
}

# shellcheck disable=SC2046 # words
set -- $(roomy 150)
here=$1 there=$2

created idle-pvh web "nodes=\"$here\"" memory=64
created idle db "nodes=\"$there\"" memory=32
xl numa-map > "$out"
is "$(head -n 1 "$out")" "no domain is remote, of 2" \
    "numa-map by the records says that all is local"
looks_right "at home" "no domain is remote, of 2"
ok "--alarm reports no local guest" xl numa-stat --alarm=0
stock-xl vcpu-pin web all "$(cpus_of "$there")" "$(cpus_of "$there")"
xl numa-map > "$out"
is "$(head -n 1 "$out")" "1 of 2 domains is remote: web (all)" \
    "numa-map by the records says that the guest is remote"
looks_right "vCPUs away" "1 of 2 domains is remote: web (all)" "$there"
is "$(xl numa-stat --alarm=20; echo $?)" \
    "1 of 2 domains has more than 20% of its memory remote: web (100%)
5" "vCPUs away: the alarm"
ok "numa-map proposes a move" xl numa-move web "$there"
looks_right "after a move" "no domain is remote, of 2"
remove web db
done_testing
