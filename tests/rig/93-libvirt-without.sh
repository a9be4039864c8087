# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node --put tests/rig/libvirt-placement.sh:/root/libvirt-placement.sh
# libvirt: it is started in every way but the right one
# thorough: libvirtd is started five times
#
# libvirtd that is restarted with domains running; and libvirtd without the
# module, with one for another release, without the hook: it is then as if there
# were none of them, and the log says so.

. /root/lib.sh
# shellcheck source=tests/rig/libvirt-placement.sh
. /root/libvirt-placement.sh

mib=100

guest() { # NAME
    virsh_create idle-pvh "$1" $mib 1 \
        "<numatune><memory mode='strict' nodeset='$other'/></numatune>" \
        > "$out" 2>&1 || cat "$out"
}

drop() { # NAME...
    for dropped; do
        virsh destroy "$dropped" > "$out" 2>&1 || cat "$out"
    done
    await 30 nothing_dies
}

is_as_asked() { # NAME WHAT
    is "$(nodes_of "$1") $(affinity "$1")" \
        "$other all / $(cpus_of "$other")" "$2"
}

# The request does nothing, and nothing else is wrong.
is_stock() { # WHAT
    guest g
    is "$(nodes_of g) $(affinity g)" "$chosen all / $(cpus_of "$chosen")" \
        "$1: the domain is placed by libxl"
    drop g
    is "$(handed_over)" "" "$1: nothing is left behind"
    ok "$1: libvirtd stops" libvirtd_stop
}

# Sets $chosen to where libxl puts it, $other to where it shall be.
stock() {
    ok "libvirtd without the module starts" libvirtd_start
    other=none
    virsh_create idle-pvh g $mib 1 > "$out" 2>&1 || cat "$out"
    chosen=$(nodes_of g)
    drop g
    other=$(roomy 300 | tr ' ' '\n' | grep -vx "$chosen" | head -n 1)
    libvirtd_stop
}

# What it would make of a domain of libvirt's is not for xl to try.
left_to_libvirt() { # NAME
    was=$(domid "$1")
    expect 1 xl numa-move "$1" "$chosen" 2> "$err"
    is "$? $(cat "$err")" "0 xl: '$1' is not moved: libvirt created\
 it, and would lose it: its XML decides where it is after a reboot" \
        "xl numa-move refuses a domain of libvirt, and says why"
    expect 1 xl vcpu-pin --keep "$1" all "$(cpus_of "$chosen")" 2> "$err"
    is $? 0 "xl vcpu-pin --keep refuses a domain of libvirt, and says why"
    is "$(domid "$1") $(affinity "$1")" "$was all / $(cpus_of "$other")" \
        "the refused commands have changed nothing"
}

restarted() {
    ok "libvirtd starts with the module" placing_libvirtd_start
    guest a
    is_as_asked a "a domain is where its XML says"
    await 60 console_has a "idle: up"
    was=$(domid a)
    ok "libvirtd stops" libvirtd_stop
    ok "libvirtd starts again" placing_libvirtd_start
    is "$(virsh list --name | grep a$)" a \
        "libvirtd knows the domain after its restart"
    is "$(domid a)" "$was" "the domain has continued to run"
    is_as_asked a "and is where it was"
    ok "the domain reboots" virsh reboot a
    await 60 console_has a "idle: up" 2
    is_as_asked a "and is where its XML says"
    guest b
    is_as_asked b "so is the next one"
    left_to_libvirt a
    drop a b
    ok "libvirtd stops" libvirtd_stop
}

no_module() {
    libvirtd_start LD_PRELOAD=/nowhere/libvirt-placement.so > /tmp/said 2>&1
    ok "without the module's file the loader reports it, and libvirtd starts" \
        grep 'libvirt-placement.so.*cannot be preloaded.*ignored' /tmp/said
    is_stock "no module"
}

log_has() { # TEXT
    numa_log
    numa_log | grep -qF "$1"
}

no_hook() {
    rm /etc/libvirt/hooks/libxl.d/xl-numa
    ok "without the hook libvirtd starts" \
        libvirtd_start LD_PRELOAD="$(preloaded)"
    guest g
    is "$(nodes_of g | wc -w) $(affinity g)" \
        "1 all / $(cpus_of "$(nodes_of g)")" \
        "without the hook the domain is placed by the host's defaults"
    ok "without the hook the log says so" log_has \
        "'g': the hook of xl-numa left nothing in /run/xen/numa-libvirt, so\
 libvirt probably did not run it: of the placement in its XML only <vcpupin>\
 applies"
    drop g
    ok "without the hook libvirtd stops" libvirtd_stop
}

stock
restarted
no_module
no_hook
done_testing
