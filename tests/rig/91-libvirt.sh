# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node
# libvirt: the words of its XML
# thorough: of guests that libvirt makes there are many
#
# With placement inside libvirtd a domain is where its XML says: when it is
# made, after a reboot, and when it is restored.

. /root/lib.sh
# shellcheck source=tools/rig/dom0/libvirt.sh
. /root/libvirt.sh

mib=120
mkdir /tmp/saved
mount -t tmpfs -o size=400m none /tmp/saved

# What a child of libvirtd has of the module: its other hook tells.
tell_environment() {
    mkdir -p /etc/libvirt/hooks
    printf '#!/bin/sh\nenv > /tmp/hook.env\n' > /etc/libvirt/hooks/libxl
    chmod +x /etc/libvirt/hooks/libxl
}

start() {
    tell_environment
    xl-numa-libvirt enable
    libvirtd_start "$(sed -n 's/^Environment=//p' \
        /etc/systemd/system/libvirtd.service.d/zz-xl-numa.conf)"
}

guest() { # CONFIG NAME VCPUS [XML...]
    guest_config=$1 guest_name=$2
    shift 2
    virsh_create "$guest_config" "$guest_name" $mib "$@" > "$out" 2>&1 ||
        cat "$out"
}

drop() { # NAME...
    for dropped; do
        virsh destroy "$dropped" > /dev/null
    done
    await 30 nothing_dies
}

# "NODES HARD / SOFT" of a guest: where all its pages are, and its first vCPU.
place_of() { # NAME
    echo "$(nodes_of "$1") $(affinity "$1")"
}

keys() { # ATTRIBUTES
    echo "<metadata><numa:placement xmlns:numa='urn:libxl-numa:keys'" \
        "$1/></metadata>"
}

memory() { # ATTRIBUTES
    echo "<numatune><memory $1/></numatune>"
}

# is_placed CONFIG NODES HARD-AND-SOFT WHAT VCPUS [XML...]
is_placed() {
    placed_config=$1 placed_nodes=$2 placed_cpus=$3 placed_what=$4
    shift 4
    guest "$placed_config" g "$@"
    is "$(place_of g)" "$placed_nodes $placed_cpus" \
        "$placed_config: $placed_what"
    if [ "${placed_nodes#* }" != "$placed_nodes" ]; then
        # shellcheck disable=SC2086 # words
        ok "the memory of interleave is in equal shares" \
            shares_even g $placed_nodes
    fi
    drop g
}

words() { # NODE OTHER
    cpus=$(cpus_of "$1")
    is_placed idle "$1" "$cpus / $cpus" "<vcpu cpuset>" \
        "<vcpu cpuset='$cpus'>1</vcpu>"
    is_placed idle "$1" "all / $cpus" "memory, strict" 1 \
        "$(memory "mode='strict' nodeset='$1'")"
    is_placed idle "$1" "$cpus / all" "keys of ours in <metadata>" 1 \
        "$(keys "nodes='$1' nodes_cpus='hard'")"
    is_placed idle-pvh "$1 $2" "$cpus / $(cpus_of "$1" "$2")" \
        "memory, interleaved, and <vcpu cpuset>" \
        "<vcpu cpuset='$cpus'>1</vcpu>" \
        "$(memory "mode='interleave' nodeset='$1,$2'")"
}

# Both words for CPUs, and what the policy finds without a word.
more_words() { # NODE OTHER
    cpus=$(cpus_of "$1")
    one=${cpus%-*}
    guest idle g "<vcpu cpuset='$(cpus_of "$2")'>2</vcpu>" \
        "<cputune><vcpupin vcpu='0' cpuset='$one'/></cputune>"
    is "$(affinity g 0 | cut -d ' ' -f 1)" "$one" "<vcpupin> binds one vCPU"
    is "$(affinity g 1 | cut -d ' ' -f 1)" "$(cpus_of "$2")" \
        "<vcpu cpuset> binds the other vCPU"
    ok "the memory is near both vCPUs" shares_even g "$1" "$2"
    drop g
    chosen=$(expected_node worst $mib)
    is_placed idle "$chosen" "all / $(cpus_of "$chosen")" \
        "a policy in <metadata>" 1 "$(keys "nodes_policy='worst'")"
    guest idle g "<vcpu placement='auto'>1</vcpu>"
    is "$(nodes_of g | wc -w)" 1 "placement='auto' puts the domain on one node"
    is "$(affinity g)" "all / $(cpus_of "$(nodes_of g)")" \
        "the vCPU of that domain prefers the CPUs of its node"
    drop g
}

# The plan that is told beforehand is the one that is made.
planned() { # NODE
    guest idle g 1 "$(memory "mode='preferred' nodeset='$1'")"
    virsh dumpxml g > /tmp/g.xml
    drop g
    xl numa-plan /tmp/g.xml | head -n 1 | grep "memory from node $1,"
}

# ---- what is wrong ----

refused() { # TEXT VCPUS [XML...]
    refused_text=$1
    shift
    guest idle g "$@"
    grep -F "$refused_text" "$out" && [ -z "$(leftovers)" ] &&
        [ -z "$(ls /run/xen/numa-libvirt)" ]
}

errors() {
    ok "a wrong key is in virsh's error, and nothing is built" refused \
        "'g (nodes_policy=\"bset\": expected \"first\", \"best\"" 1 \
        "$(keys "nodes_policy='bset'")"
    ok "a node that does not exist is in virsh's error, and nothing is built" \
        refused \
        "'g (nodes=\"9\": no node 9 here: this host has 0-3)'" 1 \
        "$(memory "mode='strict' nodeset='9'")"
    before=$(rig-free)
    mib=3000
    ok "virsh prints why a strict request cannot be met" refused \
        'MiB needed, not available from node 1; node 1 has' \
        1 "$(memory "mode='strict' nodeset='1'")"
    mib=120
    ok "the free memory is as before the refused starts" \
        free_within 64 "$before"
}

# ---- a life ----

is_where() { # NODE WHAT
    is "$(place_of g)" "$1 all / $(cpus_of "$1")" \
        "$2: the domain is where its XML says"
}

up_again() { # TIMES
    console_has g "idle: up" "$1"
}

quiet() {
    "$@" > "$out" 2>&1 || { cat "$out"; return 1; }
}

life() { # NODE
    rm -f /var/log/xen/console/guest-g.log
    guest idle-pvh g 1 "$(memory "mode='strict' nodeset='$1'")"
    await 60 up_again 1
    was=$(domid g)
    ok "the domain reboots" quiet virsh reboot g
    ok "the domain comes back" await 60 lives_anew g "$was"
    await 60 up_again 2
    is_where "$1" "rebooted"
    ok "the domain is saved" quiet virsh save g /tmp/saved/g
    ok "the domain is restored" quiet virsh restore /tmp/saved/g
    is_where "$1" "restored"
    drop g
}

# What is changed in a domain that is defined holds from its next start.
changed() { # NODE OTHER
    domain_xml idle g $mib 1 "$(memory "mode='strict' nodeset='$1'")" \
        > /tmp/g.xml
    virsh define /tmp/g.xml > "$out" 2>&1
    ok "virsh metadata sets keys of a defined domain" quiet \
        virsh metadata g urn:libxl-numa:keys --key numa --config \
        --set "<placement nodes='$2'/>"
    ok "the domain with keys starts" quiet virsh start g
    is_where "$2" "started"
    drop g
    virsh undefine g > "$out" 2>&1
}

both_restored() { # NODE OTHER
    for node; do
        guest idle-pvh "r$node" 1 "$(memory "mode='strict' nodeset='$node'")"
        await 60 console_has "r$node" "idle: up"
    done
    for node; do
        quiet virsh save "r$node" "/tmp/saved/r$node" || return
    done
    for node; do
        virsh restore "/tmp/saved/r$node" > "/tmp/out.$node" 2>&1 &
    done
    wait
    for node; do
        cat "/tmp/out.$node"
        [ "$(nodes_of "r$node")" = "$node" ] || return
    done
}

ok "libvirtd starts with the module" start
ok "xl-numa-libvirt status reports the module" xl-numa-libvirt status
# shellcheck disable=SC2046 # words
set -- $(roomy 400)
words "$2" "$3"
is "$(grep -c -e ^LD_PRELOAD= /tmp/hook.env)" 0 \
    "the children of libvirtd do not have the module"
more_words "$2" "$3"
ok "xl numa-plan says beforehand where the domain goes" planned "$3"
errors
life "$2"
changed "$2" "$3"
ok "two domains that are restored at once are each on its node" \
    both_restored "$2" "$3"
is "$(ls /run/xen/numa-libvirt)" "" "no file of the hook is left"
is "$(ls /run/xen/numa)" lock "no reservation is left"
done_testing
