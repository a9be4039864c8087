#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# xl numa-top in a terminal, which tmux is: what is on it, keys, other sizes,
# terminals without colours, and that it gives back the terminal as it was.

numa=$(cd "${top_builddir:-.}" && pwd)/xl/xl-numa
top=$(cd "${top_srcdir:-.}" && pwd)
. "${top_srcdir:-.}/tests/unit/tap.sh"

command -v tmux > /dev/null || { echo "1..0 # SKIP no tmux"; exit 0; }
tmp=$(mktemp -d) || exit 1
tmux_() {
    tmux -f /dev/null -S "$tmp/tmux" "$@"
}
trap 'tmux_ kill-server 2> /dev/null; rm -rf "$tmp"' EXIT
sed 's/"nodes": \[ { "node": 1, "bytes": 67/"nodes": [ { "node": 3, "bytes": 67/' \
    "$top/tests/hosts/rig-4node.json" > "$tmp/away.json"
LC_ALL=C.UTF-8
export LC_ALL
unset NO_COLOR

# In a shell, whose settings of the terminal are the same afterwards.
start() { # NAME WIDTH HEIGHT [VARIABLE=VALUE...]
    session=$1 width=$2 height=$3
    shift 3
    cat > "$tmp/$session.sh" << END
trap : INT
stty -a > '$tmp/$session.before'
echo before
env $* '$numa' numa-top --host '$tmp/away.json'
echo "status \$?"
stty -a > '$tmp/$session.after'
echo over
read -r rest
END
    tmux_ new-session -d -s "$session" -x "$width" -y "$height" \
        "sh '$tmp/$session.sh'" || exit 1
}

screen() {
    tmux_ capture-pane -p -t "$session"
}

# Waits until the screen has a line of that pattern, or ten seconds.
shows() { # PATTERN
    for _ in $(seq 200); do
        screen > "$tmp/screen" || return 1
        ! grep -q -- "$1" "$tmp/screen" || return 0
        sleep 0.05
    done
    sed 's/^/# /' "$tmp/screen"
    return 1
}

keys() {
    tmux_ send-keys -t "$session" "$@"
}

gives_back() { # WHAT
    check "$1: numa-top ends" shows '^over'
    same "$(screen | grep ^status)" "status 0" "$1: the exit status is 0"
    same "$(cat "$tmp/$session.after")" "$(cat "$tmp/$session.before")" \
        "$1: the terminal is restored"
}

start keys 80 24
check "80x24: the screen shows remote domains and what to do" \
    shows '^\*one .* move, node 1 has room$'
same "$(screen | wc -l)" 24 "the page fills the screen"
same "$(screen | sed -n 2p)" "1 of 3 domains is remote: one (all)" \
    "the first lines have the answer"
check "remote memory is red" \
    sh -c "tmux -S '$tmp/tmux' capture-pane -e -p -t keys |
    grep -a '1 of 3' | grep -aq '\[31m'"
keys Enter
check "Enter shows the vCPUs of a domain" shows '^ *VCPU'
keys Enter
keys r
check "r shows remote domains only" shows '^1 of 4 shown: remote only'
keys Escape
check "Esc shows all domains again" shows '^ plain'
keys /
keys plaXX BSpace BSpace
check "/ shows what is typed" shows '^only names with: pla_'
keys Enter
check "/ shows only domains with the text" shows '^1 of 4 shown: name .pla.'
keys Escape
check "Esc ends the search" shows '^ two words'
keys m
check "m refuses a saved host" shows 'saved host: nothing can be moved'
keys h
check "h shows the help" shows 'any key: back'
keys x
check "a key ends the help" shows '^\*one'
tmux_ resize-window -t keys -x 132 -y 40
check "a wider terminal gets more columns" shows 'MEMORY_ON'
tmux_ resize-window -t keys -x 40 -y 10
check "a narrow terminal gets fewer columns" \
    shows '^ NAME     *REMOTE LOCAL WHAT TO DO'
tmux_ resize-window -t keys -x 80 -y 24
check "the first size gets the first columns again" \
    shows '^ NAME .* CPU% WHAT TO DO'
keys q
gives_back q
check "q restores the screen" shows '^before'

for signal in INT TERM HUP; do
    start "$signal" 80 24
    check "$signal: numa-top begins" shows '^\*one'
    pid=$(tmux_ list-panes -t "$signal" -F '#{pane_pid}')
    kill -s "$signal" "$(ps -o pid= --ppid "$pid" | tr -d ' ')"
    gives_back "$signal"
done
start interrupt 80 24
check "Ctrl-C: numa-top begins" shows '^\*one'
keys C-c
gives_back "Ctrl-C"

# --- terminals ---

start vt100 80 24 TERM=vt100
check "vt100: the screen is the same" shows '^\*one .* move, node 1 has room$'
check "vt100: the screen has no colour" \
    sh -c "! tmux -S '$tmp/tmux' capture-pane -e -p \
    -t vt100 | grep -q '\[3[0-8]m'"
keys q
gives_back vt100
start plain 80 24 NO_COLOR=1
check "NO_COLOR: the screen is the same" \
    shows '^\*one .* move, node 1 has room$'
check "NO_COLOR: the screen has no colour" \
    sh -c "! tmux -S '$tmp/tmux' capture-pane -e -p \
    -t plain | grep -q '\[3[0-8]m'"
keys q
gives_back NO_COLOR
for term in dumb no-such-terminal; do
    start $term 80 24 TERM=$term
    check "$term: numa-top ends" shows '^over'
    same "$(screen | grep -A1 '^xl:' | tr -d '\n' | sed 's/status.*//')" \
        "xl: numa-top: cannot move the cursor of this terminal (TERM='$term'): use --batch" \
            "$term: an error says what to do"
done

finish
