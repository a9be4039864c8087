# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# In dom0 this is /root/defect.sh, for the scripts of tools/defects.
#
#   there TEXT            ends the script: the defect is there
#   fixed TEXT           it is not
#   cannot_tell TEXT      the script could not do what shows it
#   guest [KEY=VALUE...]  creates the idle guest g with the installed xl

# shellcheck source=tests/rig/lib.sh
. /root/lib.sh

there() {
    echo "the defect is there: $*"
    exit 11
}

fixed() {
    echo "fixed: $*"
    exit 10
}

cannot_tell() {
    echo "cannot tell: $*"
    exit 3
}

guest() {
    stock_create idle g "$@" ||
        cannot_tell "xl create $*: $(tail -n 1 "$err")"
}

echo "Xen $(stock-xl info | sed -n 's/^xen_version *: //p')"
