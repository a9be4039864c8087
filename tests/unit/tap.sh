# SPDX-License-Identifier: LGPL-2.1-or-later
# TAP for the tests that are shell scripts: tap.h for those.

run=0
failed=0

# result STATUS NAME
result() {
    run=$((run + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $run - $2"
    else
        failed=$((failed + 1))
        echo "not ok $run - $2"
    fi
}

# check NAME COMMAND [ARG...]
check() {
    check_name=$1
    shift
    "$@"
    result $? "$check_name"
}

# same GOT EXPECTED NAME
same() {
    [ "$1" = "$2" ]
    result $? "$3"
    [ "$1" = "$2" ] || printf '%s\n' "got: $1" "expected: $2" | sed 's/^/# /'
}

# The last line of a test: its exit status.
finish() {
    echo "1..$run"
    [ $failed -eq 0 ]
}
