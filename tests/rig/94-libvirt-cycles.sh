# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node --timeout 6000 --put tests/rig/libvirt-placement.sh:/root/libvirt-placement.sh
# libvirt: it makes and destroys eight guests fifty times
# long: eight hundred creates, half of them under stock libvirtd
#
# One libvirtd that makes and destroys guests for long holds no more descriptors
# than in the beginning, and no more memory than without us, and leaves nothing
# behind.

. /root/lib.sh
# shellcheck source=tests/rig/libvirt-placement.sh
. /root/libvirt-placement.sh

guests=8 cycles=50 warm=10

write_guests() {
    commands='' ends=''
    for number in $(seq $guests); do
        domain_xml idle "g$number" 16 1 > "/tmp/g$number.xml"
        commands="$commands create /tmp/g$number.xml --paused;"
        ends="$ends destroy g$number;"
    done
}

# KiB, descriptors.
used() {
    awk '/^VmRSS:/ { printf "%d ", $2 }' "/proc/$(libvirtd_pid)/status"
    # shellcheck disable=SC2012 # they are numbers
    ls "/proc/$(libvirtd_pid)/fd" | wc -l
}

is_at_rest() {
    nothing_dies && no_guests
}

cycle() {
    virsh "$commands" > "$out" 2> "$err" || return
    take_report
    placed=$(awk '/^g/ && $3 > 0' "$report" | wc -l)
    report=''
    [ "$placed" = $guests ] || return
    virsh "$ends" > "$out" 2> "$err"
    await 60 is_at_rest
}

# Sets $kib and $descriptors to how many more there are at the end than when it
# had warmed up, and $done to the number of cycles that went well.
run_cycles() { # WHAT
    done=0
    for number in $(seq $cycles); do
        cycle && done=$((done + 1))
        [ $((number % 10)) != 0 ] || echo "# $1: cycle $number: $(used)"
        [ "$number" != $warm ] || warm_used=$(used)
    done
    # shellcheck disable=SC2046,SC2086 # words
    set -- $warm_used $(used)
    kib=$(($3 - $1)) descriptors=$(($4 - $2))
}

write_guests
ok "libvirtd starts with the module" placing_libvirtd_start
run_cycles module
is "$done" $cycles "each of $guests guests is on one node, $cycles times"
is "$descriptors" 0 "libvirtd has no more descriptors than before"
module_kib=$kib
is "$(leftovers)" "" "no domain, no record, no reservation is left"
is "$(handed_over)" "" "no file of the hook is left"

ok "libvirtd stops" libvirtd_stop
xl-numa-libvirt disable
ok "libvirtd without the module starts" libvirtd_start
run_cycles stock
echo "# $module_kib KiB more with the module, $kib KiB without"
# Half a KiB for each create would be seen.
ok "libvirtd uses no more memory than without the module" \
    test "$module_kib" -le $((kib + guests * (cycles - warm) / 2))
done_testing
