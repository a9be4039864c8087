# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology odd
# libvirt: what it does without us
# thorough: what it tests is not ours
#
# What libvirt's words about placement come to on Xen without the module: of all
# of them only <vcpupin> takes effect. And that it tells the host's nodes as our
# commands do, which are said to print the same.

. /root/lib.sh
# shellcheck source=tools/rig/dom0/libvirt.sh
. /root/libvirt.sh

mib=160

# virsh's way to say where a vCPU may run: from the XML, and from Xen.
pinned() { # NAME
    virsh vcpupin "$1" | awk '$1 == 0 { print $2 }'
}

allowed() { # NAME: "4-5", of the row of 'y' and '-'
    virsh vcpuinfo "$1" | awk '/^CPU Affinity:/ {
        for (cpu = 1; cpu <= length($3); cpu++)
            if (substr($3, cpu, 1) == "y")
                print cpu - 1
        exit
    }' | ranges
}

hard_of() { # NAME
    affinity "$1" | cut -d ' ' -f 1
}

guest() { # NAME VCPUS [XML...]
    guest_name=$1
    shift
    virsh_create idle "$guest_name" $mib "$@" > "$out" 2>&1 || cat "$out"
}

# Sets $chosen to the node that libxl itself takes, and $other to another one:
# the same happens to the next guest as long as nothing else does.
no_words() {
    guest free 1
    chosen=$(nodes_of free)
    everywhere=$(allowed free)
    is "$(hard_of free)" all "a domain without elements may run anywhere"
    is "$everywhere" "$(cpu_list | sed 's/ .*//' | ranges)" \
        "virsh vcpuinfo shows that it may run anywhere"
    is "$(virsh numatune free | awk '/nodeset/ { print $3 }')" "$chosen" \
        "virsh numatune has the node that libxl chose"
    remove free
    other=$(roomy $((mib + 40)) | tr ' ' '\n' | grep -vx "$chosen" | head -n 1)
}

# Nothing of it reaches Xen, and nobody says so.
ignored() { # NAME VCPUS [XML...]
    guest "$@"
    is "$(nodes_of "$1") $(hard_of "$1")" "$chosen all" \
        "$1 has no effect"
    is "$(cat "$out")" "Domain '$1' created from /tmp/$1.xml" \
        "no message reports that"
}

words() {
    ignored cpuset "<vcpu cpuset='$(cpus_of "$other")'>1</vcpu>"
    is "$(pinned cpuset)" "$(cpus_of "$other")" \
        "virsh vcpupin shows the CPUs of the XML"
    is "$(allowed cpuset)" "$everywhere" "virsh vcpuinfo shows other CPUs"
    remove cpuset
    ignored strict 1 \
        "<numatune><memory mode='strict' nodeset='$other'/></numatune>"
    remove strict
    ignored auto "<vcpu placement='auto'>1</vcpu>"
    remove auto
}

# The one that works: libxl then has affinities to go by.
pinned_at_create() {
    guest pin 1 "<cputune><vcpupin vcpu='0' cpuset='$(cpus_of "$other")'/>\
</cputune>"
    is "$(hard_of pin) $(nodes_of pin)" "$(cpus_of "$other") $other" \
        "vcpupin decides the CPUs, and memory near them, node $other"
    remove pin
}

pinned_later() {
    guest late 1
    virsh vcpupin late 0 "$(cpus_of "$other")" > "$out" 2>&1
    is "$(hard_of late) $(nodes_of late)" "$(cpus_of "$other") $chosen" \
        "vcpupin of a running domain changes the CPUs, and the memory stays"
    is "$(grep . "$out")" "" "no message reports that the memory stays"
    remove late
}

same_as() { # FILE ARG...
    same_file=$1
    shift
    xl numa-info "$@" > "$out" 2> "$err"
    diff "$same_file" "$out"
}

formats() {
    virsh nodeinfo > /tmp/nodeinfo
    ok "numa-info --nodeinfo prints what virsh nodeinfo prints" \
        same_as /tmp/nodeinfo --nodeinfo
    virsh capabilities | sed -n '/<topology>/,/<.topology>/p' > /tmp/topology
    # Newer ones also print clusters of cores, which Xen does not tell.
    sed -i "s/^ *//; s/ cluster_id='0'//" /tmp/topology
    xl numa-info --xml | sed 's/^ *//' > "$out"
    ok "numa-info --xml prints what virsh capabilities prints" \
        diff /tmp/topology "$out"
    virsh freecell --all > /tmp/all
    ok "numa-info --free --all prints what virsh freecell --all prints" \
        same_as /tmp/all --free --all
    virsh freecell "$other" > /tmp/one
    ok "numa-info --free $other prints what virsh freecell $other prints" \
        same_as /tmp/one --free "$other"
    virsh freecell > /tmp/sum
    ok "numa-info --free prints what virsh freecell prints" \
        same_as /tmp/sum --free
}

ok "libvirtd starts" libvirtd_start
no_words
words
pinned_at_create
pinned_later
formats
done_testing
