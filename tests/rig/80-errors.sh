# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node
#
# What is wrong is said, with what would be right, before anything is built;
# and where ours cannot work, stock does.

. /root/lib.sh

# The one line that the user gets from us.
says() { # WORD...
    said=$(grep '^numa: error: ' "$err")
    echo "$said"
    [ "$(echo "$said" | wc -l)" = 1 ] || return 1
    for word; do
        case $said in
        *"$word"*) ;;
        *)  echo "without '$word'"
            return 1 ;;
        esac
    done
}

wrong() { # CONFIG-LINE WORD...
    wrong_line=$1
    shift
    ok "$wrong_line is refused with status 1" \
        expect 1 create idle g "$wrong_line"
    ok "the error of $wrong_line says where, what, and what would be right" \
        says /root/idle.cfg "${wrong_line%%=*}" "$@"
}

values() {
    absent=$(($(nodes | awk '{ print $NF }') + 1))
    before=$(rig-free)
    wrong "nodes=\"$absent\"" "\"$absent\"" "this host has"
    wrong "nodes=\"0-$absent\"" "$absent" "this host has"
    for value in a -1 1- 0--2 5-3 0x1 ^0 4294967297 '1 2' Auto; do
        wrong "nodes=\"$value\"" "\"$value\"" '"auto"' '"all"' '"0-3,^2"'
    done
    wrong 'nodes=""' '""' '"auto"'
    wrong 'nodes=[]' '[]' '"auto"'
    wrong 'nodes=[["1"]]' 'item 1' '"auto"'
    wrong 'nodes=["1","b"]' 'item 2' '"b"' '"auto"'
    wrong 'nodes_policy="bset"' '"bset"' '"first"' '"best"' '"worst"' \
        '"balanced"'
    wrong 'nodes_policy=["best"]' '"first"' '"best"' '"worst"'
    wrong 'nodes_mode="Strict"' '"Strict"' '"preferred"' '"strict"'
    wrong 'nodes_cpus="harder"' '"harder"' '"soft"' '"hard"' '"none"'
    wrong 'nodes_max=0' '0' 'a number'
    wrong 'nodes_max="x"' '"x"' 'a number'
    wrong "nodes_mem=\"$absent\"" "\"$absent\"" "this host has"
    wrong 'nodes_mem="b"' '"b"' '"0-3,^2"'
    ok "nothing is left of the refused creates" nothing_left "$before"
}

# What libxl would find out when the domain is half made, in six lines.
unbound() {
    before=$(rig-free)
    last=7
    stock-xl cpupool-cpu-remove Pool-0 "$last"
    ok \
        "cpus= outside the cpupool is refused with the status of the installed xl" \
        expect 3 create idle g "cpus=\"$last\""
    ok "one line names the vCPU and the CPUs of the cpupool" \
        says "cpus=" "vCPU 0" "CPUs 0-$((last - 1))"
    is "$(grep -c error: "$err")" 1 "libxl adds no line to it"
    ok "nothing is left of the guest outside the cpupool" nothing_left "$before"
    stock-xl cpupool-cpu-add Pool-0 "$last"
}

vnuma() {
    set -- 'vnuma=[["pnode=0","size=64","vcpus=0","vdistances=10"]]' 'nodes="1"'
    ok "a vnuma= list with nodes= is refused with status 1" \
        expect 1 create idle-pvh g "$@"
    ok "the error names both keys" says /root/idle-pvh.cfg nodes vnuma
    ok "no domain is left" test -z "$(guest_domids)"
}

# A key that is none is no error to xl; to who wrote it, it is.
misspelt() {
    ok "a create with a misspelt key works" created idle g memory=64 \
        'nodes_polcy="best"'
    is "$(grep '^numa: ' "$err")" "numa: warning: /root/idle.cfg: nodes_polcy=:\
 unknown key, ignored: did you mean nodes_policy=?" \
     "one line names the misspelt key and the right one"
    remove g
}

# xl's own complaint about a file that it cannot read, and no more.
syntax() {
    create idle g 'nodes=['
    ours="$? $(cat "$err")"
    stock_create idle g 'nodes=['
    is "$ours" "$? $(cat "$err")" \
        "a syntax error is reported as by the installed xl"
}

# One line from us, and what the installed xl makes of it.
ours_and_stock() { # WORD
    line=$(grep -e '^xl: ' -e '^numa: ' "$err")
    echo "$line"
    [ "$(echo "$line" | wc -l)" = 1 ] && echo "$line" | grep -q "$1"
}

falls_back() { # WHAT WORD
    ok "$1: xl create works as the installed one" created idle g memory=64
    ok "$1: xl prints one clear line" ours_and_stock "$2"
    ok "$1: the guest is created" test -n "$(domid g)"
    remove g
    xl list > "$out" 2> "$err"
    is "$?$(cat "$err")" 0 "$1: other commands print no such line"
}

module=$(find / -xdev -name xl-placement.so)

# The module gives libxl "max_vcpuX", which it ignores: a libxl that keeps
# max_vcpus elsewhere looks the same.
other_release() {
    hex=$(xxd -p "$module" | tr -d '\n' |
        sed 's/226d61785f766370757322/226d61785f766370755822/g')
    echo "$hex" | xxd -r -p > /tmp/other.so
    mv "$module" /tmp/module.so
    cp /tmp/other.so "$module"
    falls_back "libxl of another release" "b_info\\.max_vcpus"
    mv /tmp/module.so "$module"
}

no_module() {
    mv "$module" /tmp/module.so
    falls_back "no module" "cannot load the placement module"
    echo "no library" > "$module"
    falls_back "a module that is no library" "cannot load the placement module"
    rm "$module"
    mv /tmp/module.so "$module"
}

# Xen's release cannot be read: as under another hypervisor, or none.
no_xen() {
    mount -t tmpfs none /sys/hypervisor
    falls_back "no running Xen" "no running Xen according to"
    umount /sys/hypervisor
}

no_installed_xl() {
    stock=$(readlink -f "$(command -v stock-xl)")
    ours=$(command -v xl)
    mv "$stock" /tmp/stock-xl.moved
    "$ours" list > "$out" 2> "$err"
    is $? 1 "without an installed xl the status is 1"
    ok "without an installed xl a clear line says so" \
        ours_and_stock "cannot find the installed xl"
    mkdir /tmp/circle
    cp "$ours" /tmp/circle/xl
    PATH=/tmp/circle:$PATH "$ours" list > "$out" 2> "$err"
    is $? 1 "with a copy of our xl in its place the status is 1"
    ok "a clear line reports the copy of our xl" ours_and_stock "PATH"
    mv /tmp/stock-xl.moved "$stock"
}

# As nobody: what stock says, and its status.
not_root() {
    echo 'nobody:x:65534:65534::/:/bin/sh' >> /etc/passwd
    cp /root/idle.cfg /tmp/idle.cfg
    chmod 755 / /tmp
    chmod 644 /tmp/idle.cfg
    for command in 'create /tmp/idle.cfg' list; do
        su nobody -c "stock-xl $command" > "$out" 2> "$err"
        stock="status $? $(cat "$out" "$err")"
        su nobody -c "$(command -v xl) $command" > "$out" 2> "$err"
        ours="status $? $(cat "$out" "$err")"
        is "$ours" "$stock" \
            "xl $command without root prints and does what the installed xl does"
    done
    ok "no domain is left" test -z "$(guest_domids)"
}

values
unbound
vnuma
misspelt
syntax
no_module
other_release
no_xen
no_installed_xl
not_root
done_testing
