# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node --put tests/rig/libvirt-placement.sh:/root/libvirt-placement.sh
# libvirt: it makes domains again
# thorough: reboots and restores under libvirt
#
# What libvirt makes again, at a reboot or from a file, is never lost over what a
# new domain would be refused for: it comes back, and the log says what does not
# hold.

. /root/lib.sh
# shellcheck source=tests/rig/libvirt-placement.sh
. /root/libvirt-placement.sh

mib=120
mkdir /tmp/saved
mount -t tmpfs -o size=400m none /tmp/saved

quiet() {
    "$@" > "$out" 2>&1 || { cat "$out"; return 1; }
}

# A strict guest that is up.
guest() { # NAME NODE [XML...]
    guest_name=$1 guest_node=$2
    shift 2
    rm -f "/var/log/xen/console/guest-$guest_name.log"
    ok "$guest_name is created" \
        quiet virsh_create idle-pvh "$guest_name" $mib 1 \
        "<numatune><memory mode='strict' nodeset='$guest_node'/></numatune>" \
        "$@"
    await 60 console_has "$guest_name" "idle: up"
}

drop() { # NAME
    quiet virsh destroy "$1"
    await 30 nothing_dies
}

comes_back() { # NAME
    was=$(domid "$1")
    quiet virsh reboot "$1" && await 60 lives_anew "$1" "$was"
}

is_saved_and_restored() { # NAME
    quiet virsh save "$1" "/tmp/saved/$1" &&
        quiet virsh restore "/tmp/saved/$1"
}

is_on() { # NAME NODE WHAT
    is "$(nodes_of "$1") $(affinity "$1")" "$2 all / $(cpus_of "$2")" "$3"
}

log_has() { # TEXT
    numa_log
    numa_log | grep -qF "$1"
}

# Strict needs memory = maxmem, of a new domain.
ballooned() { # NODE
    guest g "$1"
    ok "the domain has less memory while it runs" \
        quiet virsh setmem g 100M --live
    ok "the domain with less memory reboots and comes back" comes_back g
    is_on g "$1" "it is where its XML says"
    drop g
}

wrong_defaults() { # NODE
    guest g "$1"
    echo 'nodes_policy = "bset"' > /etc/xen/xl-numa.conf
    ok "a domain reboots and comes back while the host's defaults are wrong" \
        comes_back g
    is_on g "$1" "it is where its XML says"
    ok "the log says what is wrong" log_has \
        '/etc/xen/xl-numa.conf: nodes_policy="bset": expected'
    await 60 console_has g "idle: up" 2
    ok "the domain is saved and restored" is_saved_and_restored g
    rm /etc/xen/xl-numa.conf
    drop g
}

# virsh takes anything there while the domain runs.
wrong_keys() { # NODE
    guest g "$1" "<metadata><numa:placement xmlns:numa='urn:libxl-numa:keys'" \
        "nodes_cpus='soft'/></metadata>"
    ok "another program has metadata of its own in the domain" \
        quiet virsh metadata g \
        urn:inventory --key numa --live --set "<tag rack='7'/>"
    ok "the domain with that metadata reboots and comes back" comes_back g
    is_on g "$1" "it is where its XML says"
    await 60 console_has g "idle: up" 2
    ok "the metadata names a node that does not exist" quiet virsh metadata g \
        urn:libxl-numa:keys --key numa --live --set "<placement nodes='9'/>"
    ok "the domain with that node reboots and comes back" comes_back g
    ok "the log names the node that does not exist" \
        log_has "'g': nodes=\"9\": not all of these nodes"
    await 60 console_has g "idle: up" 3
    ok "the metadata has a wrong value" \
        quiet virsh metadata g urn:libxl-numa:keys \
        --key numa --live --set "<placement nodes_policy='bset'/>"
    ok "the domain with that value reboots and comes back" comes_back g
    ok "the log names the wrong value" \
        log_has 'nodes_policy="bset": expected "first"'
    drop g
    ok "a new domain with a wrong value is refused" \
        not quiet virsh create /tmp/bad.xml
}

# A domain that is not to come again at its reboot is a new one when somebody
# starts it later, and may be refused.
not_again() { # NODE
    domain_xml idle-pvh once $mib 1 "<metadata><numa:placement" \
        "xmlns:numa='urn:libxl-numa:keys' nodes='$1'/></metadata>" |
        sed 's|<on_reboot>restart<|<on_reboot>destroy<|' > /tmp/once.xml
    ok "a domain with on_reboot=destroy is defined" \
        quiet virsh define /tmp/once.xml
    rm -f /var/log/xen/console/guest-once.log
    ok "the domain with on_reboot=destroy starts" quiet virsh start once
    await 60 console_has once "idle: up"
    ok "the domain with on_reboot=destroy reboots" quiet virsh reboot once
    ok "the domain with on_reboot=destroy ends" await 60 is_gone once
    virsh dumpxml --inactive once |
        sed "s|nodes=['\"]$1['\"]|nodes_policy='bset'|" > /tmp/wrong.xml
    ok "the XML of that domain gets a wrong value" \
        quiet virsh define /tmp/wrong.xml
    ok "the domain is refused like a new one" not quiet virsh start once
    ok "the error says why the domain is refused" \
        grep 'nodes_policy="bset": expected "first"' "$out"
    quiet virsh undefine once
}

# CPUs that its vCPU is bound to leave the cpupool.
cpus_go() { # NODE
    stock-xl vcpu-pin 0 all 0-1
    guest g "$1" "<cputune><vcpupin vcpu='0' cpuset='$(cpus_of "$1")'/></cputune>"
    is "$(affinity g)" "$(cpus_of "$1") / $(cpus_of "$1")" \
        "the domain is bound to CPUs"
    stock-xl cpupool-cpu-remove Pool-0 "$(cpus_of "$1")"
    ok "the domain comes back from a reboot after these CPUs left the cpupool" \
        comes_back g
    is "$(nodes_of g) $(affinity g)" "$1 all / all" \
        "the domain is where its XML says, and is not bound"
    ok "the log names the CPUs that left" \
        log_has "hard affinity of vCPU 0: CPUs $(cpus_of "$1")"
    stock-xl cpupool-cpu-add Pool-0 "$(cpus_of "$1")"
    drop g
}

not() {
    ! "$@"
}

ok "libvirtd starts with the module" placing_libvirtd_start
# shellcheck disable=SC2046 # words
set -- $(roomy 400)
ballooned "$2"
wrong_defaults "$2"
domain_xml idle bad $mib 1 "<metadata><numa:placement" \
    "xmlns:numa='urn:libxl-numa:keys' nodes_policy='bset'/></metadata>" \
    > /tmp/bad.xml
wrong_keys "$3"
not_again "$2"
cpus_go "$2"
is "$(handed_over)" "" "no file of the hook is left"
done_testing
