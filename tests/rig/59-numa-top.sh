# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node
# thorough: a guest moves, and there is a terminal
#
# xl numa-top beside what Xen itself reports: as plain text before and after a
# move, and on a terminal, where keys count pages and move a guest.

. /root/lib.sh

# A column of a domain, by its heading; the last one has spaces.
figure() { # NAME COLUMN
    awk -v name="$1" -v column="$2" '
        $1 == "NAME" { for (i = 1; i <= NF; i++) at[$i] = i }
        ($1 == name || $1 == "*" name) && at[column] { print $at[column] }' "$out"
}

# MiB that a domain has, and that it has away from a node.
mib_by_xen() { # NAME HOME
    pages_of "$1" | awk -v home="$2" '
        { all += $2 } $1 != home { away += $2 }
        END { print int(all / 256), int(away / 256) }'
}

looks_right() { # WHEN OPTION HEADLINE HOME-OF-WEB
    # shellcheck disable=SC2086 # no word, or one
    xl numa-top --batch -n 1 $2 > "$out"
    is "$(sed -n 2p "$out")" "$3" "$1: numa-top says where the guest is"
    is "$(figure web TOTAL) $(figure web REMOTE)" "$(mib_by_xen web "$4")" \
        "$1: numa-top says how much is remote"
}

plain_text() {
    looks_right "at home" "" "no domain is remote, of 1" "$here"
    stock-xl vcpu-pin web all "$(cpus_of "$there")" "$(cpus_of "$there")"
    looks_right "vCPUs away" "" "1 of 1 domains is remote: web (all)" "$there"
    ok "numa-top says what to do" \
        grep -q "^\*web .* move, node $there has room" \
        "$out"
    looks_right "pages counted" --pages "1 of 1 domains is remote: web (all)" \
        "$there"
    ok "numa-top proposes a move" xl numa-move web "$there"
    looks_right "after a move" "" "no domain is remote, of 1" "$there"
    looks_right "after a move, counted" --pages "no domain is remote, of 1" \
        "$there"
}

# ---- several tables ----

two_tables() {
    xl numa-top --batch -n 2 -d 0.5 > "$out"
    is "$(grep -c 'own CPU [0-9.]* %$' "$out")" 1 \
        "the second table has the CPU time of numa-top"
    is "$(awk '$1 == "web" { print $7 }' "$out" | head -n 1)" - \
        "the first table has no CPU time of a domain"
    ok "the second table has the CPU time of domains" \
        sh -c "awk '\$1 == \"web\" { print \$7 }' '$out' |
        tail -n 1 | grep -q '^[0-9.]*\$'"
}

ends_by() { # SIGNAL
    : > "$out"
    xl numa-top --batch > "$out" &
    pid=$!
    await 60 grep -q ' web ' "$out"
    kill -s "$1" $pid
    wait $pid
    is $? 0 "$1 ends numa-top with status 0"
}

# ---- on a terminal ----

screen=/tmp/screen typed=/tmp/typed enter=$(printf '\r')
TERM=vt100
export TERM

# Since the latest key, in a screen that Ctrl-L has drawn again.
shown() { # PATTERN
    printf '\014' >&3
    tail -c "+$shown_from" "$screen" | tr -d '\033' | grep -q -- "$1"
}

keys() { # TEXT
    shown_from=$(($(wc -c < $screen) + 1))
    printf '%s' "$1" >&3
}

shows() { # PATTERN DESCRIPTION
    ok "$2" await 120 shown "$1" ||
        tail -c 2000 $screen | tr '\033' '\n' | sed 's/^/# /'
}

on_a_terminal() {
    rm -f $typed
    mkfifo $typed
    : > $screen
    shown_from=1
    rig-terminal 24 80 xl numa-top < $typed > $screen &
    pid=$!
    exec 3> $typed
    shows "1 of 1 domains is remote: web (all)" "a terminal: web is remote"
    keys p
    shows 'counted by Xen in [0-9.]* s' "p: Xen counts, and how long it took"
    keys m
    shows "move 'web' to node: $here" "m: asks, with the node that has room"
    keys "$enter"
    shows 'Press Enter' "Enter: xl numa-move has run"
    keys "$enter"
    shows 'no domain is remote, of 1' "and the screen shows the move"
    is "$(nodes_of web)" "$here" \
        "Xen has the pages of the moved guest on that node"
    keys q
    wait $pid
    is $? 0 "q ends numa-top"
    exec 3>&-
}

# shellcheck disable=SC2046 # words
set -- $(roomy 150)
here=$1 there=$2

created idle-pvh web "nodes=\"$here\"" memory=64
plain_text
two_tables
ends_by TERM
ends_by INT
ends_by HUP
stock-xl vcpu-pin web all "$(cpus_of "$here")" "$(cpus_of "$here")"
on_a_terminal
remove web
done_testing
