# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node --timeout 2400
# thorough: guests come and go ten times, or for as many minutes as the argument says
# threads: numa-top, which does not pause, keeps one processor busy
#
# xl numa-top runs on while domains come, go, die, move and get other names: its
# rows are the domains that there are, and it does not grow.

. /root/lib.sh

tables=/tmp/tables said=/tmp/said
minutes=${1:-0}

# Tables that are complete: an empty line follows each of them.
nr_tables() {
    grep -c '^$' $tables
}

has_tables() { # NUMBER
    [ "$(nr_tables)" -ge "$1" ]
}

# The next one may have been begun before, the one after it not.
await_table() {
    await 120 has_tables $(($(nr_tables) + 3))
}

# The names in the last complete table.
rows() {
    awk '
        /^$/ { last = rows; rows = ""; on = 0 }
        on { rows = rows substr($0, 2, 40) "\n" }
        /^ NAME / { on = 1 }
        END { printf "%s", last }' $tables | sed 's/ *$//' | sort
}

# The second line of that table.
headline() {
    awk '
        /^$/ { last = line; begin = NR }
        NR == begin + 2 { line = $0 }
        END { print last }' $tables
}

# Those that Xen has, without one that is being destroyed.
by_xen() {
    rig-xen domains | awk '$3 != "d" { sub(/^domain [0-9]* [^ ]* */, ""); print }' |
        sort
}

rss_kib() {
    awk '$1 == "VmRSS:" { print $2 }' /proc/$pid/status
}

# What has been looked at is in nobody's way.
next_tables() {
    seen=$((seen + $(nr_tables)))
    : > $tables
}

looks_right() { # WHAT
    next_tables
    expected=$(by_xen)
    await_table
    [ "$(rows)" = "$expected" ] && return
    wrong="$wrong, $1"
    printf '%s: got\n%s\nexpected\n%s\n' "$1" "$(rows)" "$expected" | sed 's/^/# /'
}

step() { # NUMBER
    created idle-pvh "new$1" memory=32
    looks_right "create $1"
    stock-xl rename "new$1" "old $1"
    looks_right "rename $1"
    rig-xen make 12 1 "bare$1-"
    looks_right "make $1"
    rig-xen unmake
    await 60 nothing_dies
    looks_right "unmake $1"
    map "$(domid "old $1")" 8
    stock-xl destroy "old $1"
    looks_right "dying $1"
    unmap
    await 60 nothing_dies
    looks_right "gone $1"
}

uptime_s() {
    cut -d. -f1 /proc/uptime
}

goes_on() {
    [ $i -lt 10 ] || [ $(($(uptime_s) - start)) -lt $((minutes * 60)) ]
}

moves() {
    stock-xl vcpu-pin web all "$(cpus_of "$2")" "$(cpus_of "$2")"
    ok "web moves to node $2" xl numa-move web "$2"
    looks_right "after a move"
    is "$(headline)" "no domain is remote, of 1" "and is local"
}

# shellcheck disable=SC2046 # words
set -- $(roomy 150)
created idle-pvh web "nodes=\"$1\"" memory=64
LD_PRELOAD=/usr/lib/rig/impatient.so xl numa-top --batch >> $tables 2> $said &
pid=$!
await 120 has_tables 20
before=$(rss_kib)
wrong='' seen=0 i=0 start=$(uptime_s)
while kill -0 $pid && goes_on; do
    i=$((i + 1))
    step $i
    echo "# $i times, $(($(uptime_s) - start)) s, $seen tables, $(rss_kib) KiB"
done
is "$wrong" "" "$i times: the rows are the domains that there are"
moves "$1" "$2"
moves "$2" "$1"
after=$(rss_kib)
echo "# $seen tables; $before KiB after 20 of them, now $after"
ok "it does not grow" [ $((after - before)) -le 512 ]
kill $pid
wait $pid
is "$? $(cat $said)" "0 " "it ends as it is asked to, and has complained of nothing"
remove web
done_testing
