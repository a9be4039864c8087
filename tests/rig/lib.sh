# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2034 # what is set here is read by the scripts
#
# What the rig tests share: guests, and what the host says about them. All of
# it comes from stock tools and from the hypervisor's own reports.
#
#   create CONFIG NAME [KEY=VALUE...]   ours; talk in $out and $err, xl's status
#   stock_create CONFIG NAME [...]      the same under stock xl
#   remove NAME...                      destroys guests, waits until all is freed
#   pages_of NAME                       "node pages" of each node that has any
#   take_report                         these ask one report from now on (report='')
#   nodes_of NAME                       "0 2": the nodes that have any
#   shares_even NAME NODE...            pages on these nodes only, equally many
#   nodes, cpu_nodes                    nodes with memory; those with CPUs too
#   free_mib NODE                       free memory
#   dma_node, dma_pages                 the node of the DMA zone, what is free there
#   usable_mib NODE                     free memory that is not in the DMA zone
#   usable_list                         "node pages cpus": the same of all nodes
#   take_usable                         what the next one looks at (usable='')
#   clear_size MIB                      about that, and no node only just has it
#   expected_node POLICY MIB [VCPUS]    where the policy puts such a guest
#   roomy MIB                           nodes with CPUs and at least that much free
#   cpus_of NODE...                     "4-5": their CPUs
#   distance A B                        between two nodes
#   node_affinity NAME                  as xl list -n shows it
#   affinity NAME [VCPU]                "hard / soft"
#   nothing_left FREE                   no guest, nothing of one, memory as before
#   xenstore_keys                   what xenstore has of guests
#   quiet COMMAND [ARG...]              shows what it has to say, which is in $out and
#                                       $err, only if it fails
#   expect STATUS COMMAND [ARG...]      succeeds if the command ends so
#   hold NODE MIB [KEY=VALUE...]        starts a create of g, by idle.cfg or by
#                                       $hold_config; it stops once it has
#                                       planned. /tmp/held: its process
#   go_on                               lets it, and waits for it: its status
#   map DOMID MIB [MS]                  maps pages of a guest, as rig-xen map
#   unmap                               no more
#   hold_lock                           the lock of creates is held by a process
#                                       that is stopped
#   release_lock                        it is not any more
#   even_out                            the same room on every node, and $mib
#   most_on_a_node                      of the guests of /tmp/pages
#   while_gone_goes ARG...              xl ARG..., for which the guest "gone" is
#                                       made, and destroyed once it was read

# shellcheck source=tools/rig/dom0/rig.sh
. /root/rig.sh

out=/tmp/out err=/tmp/err
: > $out
: > $err

create_with() { # XL CONFIG NAME [KEY=VALUE...]
    create_xl=$1 create_config=$2 create_name=$3
    shift 3
    case $create_config in
    /*) ;;
    *)  create_config=/root/$create_config.cfg ;;
    esac
    "$create_xl" create "$create_config" "name=\"$create_name\"" "$@" \
        > $out 2> $err
}

create() {
    create_with xl "$@"
}

stock_create() {
    create_with stock-xl "$@"
}

# Prints what the failed create had to say.
created() {
    create "$@" || { cat $err; return 1; }
}

# A domain that is being destroyed still has pages, and has lost its name.
nothing_dies() {
    ! rig-xen domains | grep -q '^domain [0-9]* d'
}

remove() {
    for remove_name; do
        stock-xl destroy "$remove_name"
    done
    await 30 nothing_dies
}

# From the report in $report, if there is one: it takes a while to make.
report=''

take_report() {
    report=/tmp/report
    rig-pages > "$report"
}

pages_of() {
    if [ -n "$report" ]; then
        grep "^$1 " "$report"
    else
        rig-pages "$1"
    fi | awk '$NF > 0 { print $(NF - 1), $NF }'
}

nodes_of() {
    if [ -n "$report" ]; then
        grep "^$1 " "$report"
    else
        rig-pages "$1"
    fi | awk '
        $NF > 0 { printf "%s%s", sep, $(NF - 1); sep = " " }
        END { print "" }'
}

# Within 2 % of the equal share, or one 2 MiB extent.
shares_even() {
    shares_pages=$(pages_of "$1")
    shift
    echo "$shares_pages"
    echo "$shares_pages" | awk -v nodes="$*" '
        { pages[$1] = $2; total += $2; nr++ }
        END {
            wanted = split(nodes, node, " ")
            share = total / wanted
            slack = share / 50 > 512 ? share / 50 : 512
            for (i = 1; i <= wanted; i++)
                if (pages[node[i]] < share - slack ||
                    pages[node[i]] > share + slack)
                    exit 1
            exit nr != wanted
        }'
}

# CPUs, nodes and distances do not change: they are asked for once, for
#   /tmp/nodes   "node memsize memfree distances"
#   /tmp/cpus    "cpu node"
stock-xl info -n | awk '
    /^[a-z]+ *:/ { table = $1 }
    table ~ /^node/ && /^ *[0-9]+: / { sub(":", ""); print > "/tmp/nodes" }
    table ~ /^cpu/ && /^ *[0-9]+: / { sub(":", ""); print $1, $4 > "/tmp/cpus" }'

numa_info() {
    cat /tmp/nodes
}

cpu_list() {
    cat /tmp/cpus
}

# JSON as our xl prints it into a pipe, with a key, or the end of something, on
# each line: "key:value".
json_lines() {
    sed 's/[][{}]/&\n/g; s/,"/,\n"/g' | tr -d '", {}[]'
}

# What libxl prints before Xen 4.22 and since alike: its JSON library decides
# about a blank after "key": and a backslash before a slash.
same_keys() {
    sed 's/": */":/; s,\\/,/,g'
}

one_line() {
    awk '{ printf "%s%s", sep, $1; sep = " " } END { print "" }'
}

nodes_with_memory=$(numa_info | awk '$2 > 0' | one_line)
nodes_with_both=$({ cpu_list; numa_info; } | awk '
    NF == 2 { cpus[$2]++ }
    NF > 2 && $2 > 0 && cpus[$1]' | one_line)

nodes() {
    echo "$nodes_with_memory"
}

cpu_nodes() {
    echo "$nodes_with_both"
}

free_mib() {
    rig-free "$1" | awk '{ print int($2 / 256) }'
}

# Xen keeps for DMA what lies below a quarter of the first node, rounded up to
# a power of two (arch_get_dma_bitsize(), xen/arch/x86/numa.c); the heap zone N of
# its report has the pages from 2^(N - 1) up to 2^N. Which node that is does not
# change, nor does the zone.
dma_zone=$(rig-xen keys u | awk '
    /NODE[0-9]+ start->0 / {
        node = $0
        sub(/.*NODE/, "", node)
        size = $0
        sub(/.*size->/, "", size)
        zone = 0
        for (pages = 1; pages < int(size / 4); pages *= 2)
            zone++
    }
    END { print node + 0, zone + 0 }')

dma_node() {
    echo "${dma_zone% *}"
}

dma_pages() {
    rig-xen keys m | awk -v zone="${dma_zone#* }" '
        /heap\[[0-9]+\]: / {
            number = $0
            sub(/.*heap\[/, "", number)
            sub(/.*: /, "")
            if (number + 0 <= zone)
                kib += $0
        }
        END { print kib / 4 }'
}

# "node pages cpus" of each node with CPUs and memory: what is free there, less
# the DMA zone.
usable_list() {
    usable_dma=$(dma_pages)
    { cpu_list; numa_info; rig-free | sed 's/^/free /'; } | awk \
        -v dma="$(dma_node)" -v dma_pages="$usable_dma" '
        NF == 2 { cpus[$2]++ }
        NF == 4 && $2 > 0 { memory[$1] = 1 }
        $1 == "free" && memory[$2] && cpus[$2] {
            print $2, $3 - ($2 == dma ? dma_pages : 0), cpus[$2]
        }'
}

usable_mib() {
    usable_list | awk -v node="$1" '$1 == node { print int($2 / 256) }'
}

# From the list in $usable, if there is one: for a row of guests of which each
# is removed before the next.
usable=''

take_usable() {
    usable=/tmp/usable
    usable_list > "$usable"
}

known_usable() {
    if [ -n "$usable" ]; then
        cat "$usable"
    else
        usable_list
    fi
}

# The toolstack needs a little more than the guest's memory: a size near this
# one for which it is clear on each node whether it fits.
clear_size() { # MIB
    known_usable | awk -v mib="$1" '
        { pages[NR] = $2 }
        END {
            do {
                close_call = 0
                for (i = 1; i <= NR; i++)
                    if (pages[i] >= mib * 256 && pages[i] < (mib + 16) * 256)
                        close_call = 1
                mib -= close_call
            } while (close_call)
            print mib
        }'
}

# The definition of the three policies, for a guest that fits on one node.
expected_node() {
    known_usable | awk -v policy="$1" -v mib="$2" -v vcpus="${3:-1}" '
        $3 < vcpus || $2 < mib * 256 { next }
        !any || (policy == "best" && $2 < least) ||
        (policy == "worst" && $2 > most) {
            node = $1
            any = 1
            least = most = $2
        }
        END { print any ? node : "none" }'
}

roomy() {
    rig-free | awk -v nodes=" $(cpu_nodes) " -v mib="$1" '
        index(nodes, " " $1 " ") && $2 >= mib * 256' | one_line
}

# Reads numbers in ascending order, prints "0-3,5".
ranges() {
    awk '
        function flush() {
            if (first != "")
                text = text sep first (last > first ? "-" last : "")
            sep = text == "" ? "" : ","
        }
        first != "" && $1 == last + 1 { last = $1; next }
        { flush(); first = last = $1 }
        END { flush(); print text }'
}

cpus_of() {
    cpu_list | awk -v nodes=" $* " 'index(nodes, " " $2 " ") { print $1 }' |
        ranges
}

# As cpus_of, with the CPUs of nodes without memory that belong to these: to the
# nearest with memory; of several to one with CPUs, and of these to the lowest.
home_cpus_of() { # NODE...
    homes=" $* "
    for bare in $(numa_info | awk '$2 == 0 { print $1 }'); do
        home=$(for home in $(nodes); do
            case " $(cpu_nodes) " in *" $home "*) bare_too=0 ;; *) bare_too=1 ;; esac
            echo "$(distance "$bare" "$home") $bare_too $home"
        done | sort -n -k 1,1 -k 2,2 -k 3,3 | awk 'NR == 1 { print $3 }')
        case $homes in *" $home "*) homes="$homes$bare " ;; esac
    done
    # shellcheck disable=SC2086 # words
    cpus_of $homes
}

nr_cpus_of() {
    cpu_list | awk -v node="$1" '$2 == node { n++ } END { print n + 0 }'
}

distance() {
    numa_info | awk -v from="$1" -v to="$2" '
        $1 == from { split($4, d, ","); print d[to + 1] }'
}

node_affinity() {
    stock-xl list -n "$1" | awk 'NR == 2 { print $NF }'
}

affinity() {
    stock-xl vcpu-list "$1" | awk -v vcpu="${2:-0}" '
        NR > 1 && $(NF - 6) == vcpu { print $(NF - 2), $(NF - 1), $NF }'
}

# Every domid that xenstore or Xen knows, reservations, and free memory, as
# they should be when a create has failed.
leftovers() {
    guest_domids
    xenstore-list /libxl 2> /dev/null
    xenstore-list /local/domain | grep -vx 0
    find /run/xen/numa -mindepth 1 ! -name lock 2> /dev/null
}

free_within() { # PAGES FREE-BEFORE
    rig-free | awk -v slack="$1" -v before="$2" '
        BEGIN {
            nr = split(before, words)
            for (i = 1; i < nr; i += 2)
                was[words[i]] = words[i + 1]
        }
        {
            print $1, $2, "before", was[$1]
            d = $2 - was[$1]
            if (d > slack || d < -slack)
                bad = 1
        }
        END { exit bad }'
}

# What guests have there, dom0 left out.
xenstore_keys() {
    for path in /local/domain /libxl /vm; do
        xenstore-ls -f $path
    done | sed 's/ = .*//' | grep -v '^/local/domain/0/\|^/vm/00000000' | sort
}

nothing_left() { # FREE-BEFORE
    nothing_found=$(leftovers)
    echo "$nothing_found"
    [ -z "$nothing_found" ] && free_within 64 "$1"
}

quiet() {
    "$@" > "$out" 2> "$err" || { cat "$out" "$err"; return 1; }
}

expect() {
    expected_status=$1
    shift
    "$@"
    got_status=$?
    [ $got_status = "$expected_status" ] || {
        echo "status $got_status, not $expected_status"
        cat $err
        return 1
    }
}

# Creates g1 to gNUMBER, started together. What each printed is in /tmp/out.N, and
# "GUEST NODE PAGES" of all of them in /tmp/pages.
all_at_once() { # XL NUMBER MIB
    rm -f /tmp/status.*
    for number in $(seq "$2"); do
        {
            "$1" create /root/idle.cfg "name=\"g$number\"" "memory=$3" \
                > "/tmp/out.$number" 2>&1
            echo $? > "/tmp/status.$number"
        } &
    done
    wait
    rig-pages | awk '$1 ~ /^g[0-9]/ && $3 > 0' > /tmp/pages
}

# What those printed that failed.
failures() { # NUMBER
    for number in $(seq "$1"); do
        [ "$(cat "/tmp/status.$number")" = 0 ] || cat "/tmp/out.$number"
    done
}

# The same room on every node: what the smallest has. Of guests of $mib MiB two
# fit there, three do not.
even_out() {
    room=$(usable_list | awk '{ mib = int($2 / 256) }
        NR == 1 || mib < least { least = mib } END { print least }')
    usable_list | while read -r node pages _; do
        [ $((pages / 256 - room)) -lt 8 ] ||
            create idle "ballast$node" "nodes=\"$node\"" \
                'nodes_mode="strict"' memory=$((pages / 256 - room))
    done
    mib=$((room * 5 / 12))
    usable_list | sed 's/^/# node, usable pages, CPUs: /'
}

# How many guests have pages on the node that most of them share.
most_on_a_node() {
    awk '{ if (++n[$2] > most) most = n[$2] } END { print most }' /tmp/pages
}

# Two lists of "NODE PAGES". The builder's record has what it asked for; Xen adds
# a few pages of its own.
about_the_same() {
    printf '%s\nand\n%s\n' "$1" "$2" | awk '
        /and/ { second = 1; next }
        { d[$1] += second ? $2 : -$2; nr++ }
        END {
            for (node in d) {
                print "node", node, "differs by", d[node]
                if (d[node] > 32 || d[node] < -32)
                    bad = 1
            }
            exit bad || !nr
        }'
}

hold_config=idle

# A create is stopped as it gives back the lock under which it has planned: the
# second time that it has it, since it waits for its turn before. strace stops it, and does no more. It does not follow xl's monitor, and so
# ends, with xl's status, when xl does.
hold() { # NODE MIB [KEY=VALUE...]
    hold_node=$1 hold_mib=$2
    shift 2
    rm -f /tmp/trace
    # shellcheck disable=SC2016 # for the inner shell
    strace -o /tmp/trace -P /run/xen/numa/lock -e trace=close \
        -e inject=close:signal=SIGSTOP:when=2 \
        sh -c 'echo $$ > /tmp/held; exec "$@"' sh \
        xl create "/root/$hold_config.cfg" 'name="g"' "nodes=\"$hold_node\"" \
        "memory=$hold_mib" "$@" > "$out" 2> "$err" &
    held=$!
    await 60 is_held
}

map() { # DOMID MIB [MS]
    rig-xen map "$@" > /tmp/mapped &
    mapper=$!
    await 60 grep -q mapped /tmp/mapped
}

unmap() {
    { kill $mapper && wait $mapper; } 2> /dev/null
}

hold_lock() {
    mkdir -p -m 700 /run/xen/numa
    rig-xen lock /run/xen/numa/lock > /tmp/locked &
    holder=$!
    await 60 grep -q locked /tmp/locked && kill -STOP $holder
}

release_lock() {
    { kill -KILL $holder && wait $holder; } 2> /dev/null
}

is_held() {
    grep -q 'stopped by SIGSTOP' /tmp/trace
}

go_on() {
    kill -CONT "$(cat /tmp/held)"
    wait "$held"
}

# It is stopped when it first asks for a record: it has read the domains then,
# and not yet their names.
while_gone_goes() { # ARG...
    create idle gone vcpus=2 memory=32
    rm -f /tmp/trace
    # shellcheck disable=SC2016 # for the inner shell
    strace -o /tmp/trace -e trace=connect \
        -e inject=connect:signal=SIGSTOP:when=2 \
        sh -c 'echo $$ > /tmp/held; exec xl "$@"' sh "$@" > "$out" 2> "$err" &
    held=$!
    await 60 is_held
    remove gone
    go_on
}
