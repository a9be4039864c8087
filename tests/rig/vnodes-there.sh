# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/saved-vnodes.sh
#
# For the tests in which a guest with virtual nodes goes to another host: what
# two-hosts.sh and saved-vnodes.sh have, and
#
#   on_peer COMMAND...       runs it over there, with the functions of saved-vnodes.sh
#   there FUNCTION HOW NODES whether all that is_back or lives tests holds over there,
#                            by what the guest saw and had here

# shellcheck source=tests/rig/two-hosts.sh
. /root/two-hosts.sh
. /root/saved-vnodes.sh

on_peer() {
    peer '. /root/saved-vnodes.sh 2> /dev/null;' "$@"
}

there() {
    for file in vnodes shape seen; do
        [ ! -e "/tmp/$file" ] || peer "cat > /tmp/$file" < "/tmp/$file"
    done
    on_peer "$1 '$2' '$3'" > /tmp/there
    cat /tmp/there
    grep -q '^ok' /tmp/there && ! grep -q '^not ok' /tmp/there
}
