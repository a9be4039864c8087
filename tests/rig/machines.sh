# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# For tests that start several machines.

# The numbers of the tests go on from machine to machine.
renumber() {
    awk '
        /^(not )?ok / { sub(/ok [0-9]+/, "ok " ++n) }
        { print; fflush() }
        END { print "1.." n }'
}
