# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node
# thorough: creates that are killed; a hundred with 100 as the argument
#
# Creates that are killed at any moment leave nothing behind but, as with the
# installed xl, a half-built domain: no lock, no reservation, no memory.

. /root/lib.sh

cycles=${1:-12}
seed=$(awk 'BEGIN { srand(); print srand() }')
echo "# srand($seed)"

# Microseconds, up to what a create takes.
awk -v seed="$seed" -v n="$cycles" 'BEGIN {
    srand(seed)
    for (i = 0; i < n; i++)
        print int(rand() * 900000)
}' > /tmp/moments

run_files() {
    ls -A /run/xen/numa | sort
}

# Whatever xl runs at that moment, xl among it.
kill_all_of() { # PID
    for child in $(cat "/proc/$1/task/$1/children" 2> /dev/null); do
        kill_all_of "$child"
    done
    kill -KILL "$1" 2> /dev/null
}

killed_create() { # MICROSECONDS
    xl create /root/idle.cfg 'name="g"' memory=64 > "$out" 2> "$err" &
    usleep "$1"
    kill_all_of $!
    wait $! 2> /dev/null
}

# One for the files that the first create makes for good.
created idle first
remove first
before=$(rig-free)
keys=$(xenstore_keys)
files=$(run_files)
half_built=0
while read -r moment; do
    killed_create "$moment"
    [ "$(rig-xen domains | wc -l)" = 1 ] || half_built=$((half_built + 1))
    destroy_all
    await 30 nothing_dies
done < /tmp/moments
echo "# $half_built of $cycles left a domain"
ok "some creates were killed in the middle" test "$half_built" -gt 0
ok "the free memory is as before the killed creates" free_within 64 "$before"
is "$(xenstore_keys)" "$keys" "xenstore is as before the killed creates"
is "$(xl numa-info | awk 'NR > 1 { sum += $7 } END { print sum }')" 0 \
    "nothing is reserved after the killed creates"
ok "the next create works" created idle g 'nodes="1"' memory=64
is "$(nodes_of g)" 1 "the next guest is on its node"
is "$(run_files)" "$files" \
    "the next create removes what killed creates left in /run/xen/numa"
done_testing
