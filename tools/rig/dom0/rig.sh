# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# For test scripts in dom0: . /root/rig.sh
#
#   plan N                          N tests follow (or end with done_testing)
#   ok DESCRIPTION COMMAND [ARG...] passes if COMMAND succeeds
#   is GOT EXPECTED DESCRIPTION     passes if the two texts are the same
#   skip REASON [N]                 N tests (default 1) do not apply
#   done_testing                    prints the plan if need be, and exits: 0 if
#                                   all passed
#   await SECONDS COMMAND [ARG...]  succeeds as soon as COMMAND does
#   domid NAME                      prints the domid of a guest
#   lives_anew NAME DOMID           it has another domid than that, and its vCPUs
#                                   run, or wait for something
#   is_gone NAME                    there is no guest of that name
#   console_has NAME TEXT [TIMES]   its console has so many lines (default 1)
#                                   with this text
#   destroy_all                     destroys all guests and waits for it
#   $xen_bin, $xen_firmware         the directories of that Xen that hold its
#                                   libxl-save-helper and its hvmloader
#
# The output is TAP. A failed test does not end the script.

. /usr/lib/rig/toolstack

tap_tests=0 tap_failed=0 tap_plan=''

plan() {
    tap_plan=$1
    echo "1..$1"
}

tap_result() { # 0|1 DESCRIPTION
    tap_tests=$((tap_tests + 1))
    if [ "$1" = 0 ]; then
        echo "ok $tap_tests - $2"
    else
        tap_failed=$((tap_failed + 1))
        echo "not ok $tap_tests - $2"
    fi
}

# The command's output is shown, as comments, only if it fails.
ok() {
    tap_name=$1
    shift
    if tap_output=$("$@" 2>&1); then
        tap_result 0 "$tap_name"
    else
        tap_result 1 "$tap_name"
        printf '%s\n' "failed: $*" "$tap_output" | sed 's/^/# /'
        return 1
    fi
}

is() {
    if [ "$1" = "$2" ]; then
        tap_result 0 "$3"
    else
        tap_result 1 "$3"
        printf '%s\n' "got:" "$1" "expected:" "$2" | sed 's/^/# /'
        return 1
    fi
}

skip() {
    for _ in $(seq "${2:-1}"); do
        tap_result 0 "# SKIP $1"
    done
}

done_testing() {
    [ -n "$tap_plan" ] || plan "$tap_tests"
    [ "$tap_plan" = "$tap_tests" ] ||
        echo "# planned $tap_plan tests but ran $tap_tests"
    [ "$tap_failed" = 0 ] || echo "# $tap_failed of $tap_tests tests failed"
    [ "$tap_failed" = 0 ] && [ "$tap_plan" = "$tap_tests" ]
    exit
}

# Sets $uptime to the machine's age in seconds: a process takes long here.
take_uptime() {
    IFS=. read -r uptime _ < /proc/uptime
}

await() {
    take_uptime
    await_end=$((uptime + $1))
    shift
    until "$@" > /dev/null 2>&1; do
        take_uptime
        [ "$uptime" -lt "$await_end" ] || return 1
        usleep 50000
    done
}

domid() {
    rig-xen domains | awk -v "name=$1" '
        { domid = $2; sub(/^domain [0-9]+ [^ ] /, "") }
        $0 == name { print domid; found = 1; exit }
        END { exit !found }'
}

lives_anew() {
    rig-xen domains | awk -v "name=$1" -v old="$2" '
        { domid = $2; state = $3; sub(/^domain [0-9]+ [^ ] /, "") }
        $0 == name && domid != old && state ~ /[rb]/ { found = 1; exit }
        END { exit !found }'
}

is_gone() {
    [ -z "$(domid "$1")" ]
}

console_has() {
    [ "$(grep -c "$2" "/var/log/xen/console/guest-$1.log")" = "${3:-1}" ]
}

guest_domids() {
    rig-xen domains | awk '$2 > 0 { print $2 }'
}

no_guests() {
    [ -z "$(guest_domids)" ]
}

destroy_all() {
    for guest in $(guest_domids); do
        stock-xl destroy "$guest" 2> /dev/null
    done
    await 30 no_guests
}
