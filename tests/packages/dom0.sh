# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317,SC2154
#
# What the packages do on a Xen host: for dom0 of `rig --debian`, with them in
# /root/deb, and in /root/next as a later version; tests/packages/run runs it.
# No xl is called but by the path or the name that Debian has it by.

. /root/lib.sh

xl=/usr/sbin/xl

not() {
    ! "$@"
}

# What is there, but for what changes by itself, and dpkg's own diary.
files() {
    find / -xdev \( -path /tmp -o -path /root -o -path /rig -o -path /dev -o \
        -path /var/log -o -path '/var/lib/dpkg/*' -o \
        -path '/var/cache/ldconfig/*' -o -path /etc/ld.so.cache -o \
        -name __pycache__ -o -path /run/xen/domid-history \) -prune -o \
        ! -type s -exec ls -dl {} + | awk '
            { $2 = $6 = $7 = $8 = ""; if (/^d/) $5 = "" } 1' | sort
}

same_as_before() {
    files > /tmp/after
    diff /tmp/before /tmp/after
}

stock_is_back() {
    [ "$(readlink "$xl")" = ../lib/xen-common/bin/xen-utils-wrapper ] &&
        [ ! -e "$xl.distrib" ] && [ ! -L "$xl.distrib" ]
}

completion=/usr/share/bash-completion/completions/xl

is_ours() {
    grep -q xl_placement_release "$xl" && [ -L "$xl.distrib" ] &&
        ! cmp -s "$completion" "$completion.distrib" &&
        [ -s "$completion.distrib" ]
}

version() {
    dpkg-query -W -f '${Version}' xl-numa
}

# What bash shows at a terminal when WORDS are typed once it asks for some, then
# the tab key. ^U takes the line away.
completed() { # WORDS
    printf '. /usr/share/bash-completion/bash_completion\nPS1=ready:\n' \
        > /tmp/bashrc
    : > /tmp/shown
    { await 30 grep -q ready: /tmp/shown; printf '%s\t\025exit\n' "$1"; } |
        script -q -f -c 'bash --rcfile /tmp/bashrc -i' /tmp/shown > /dev/null
    cat -v /tmp/shown
}

completes() { # WORDS EXPECTED
    completed "$1" > /tmp/completed
    cat /tmp/completed
    grep -q "$1$2 " /tmp/completed
}

leaves_alone() { # WORDS
    completed "$1" > /tmp/completed
    cat /tmp/completed
    grep -q "$1" /tmp/completed && ! grep -q "$1[a-z]" /tmp/completed
}

# ---- dpkg comes to a sudden end ----

stands_in_for() {
    dpkg-divert --list '*xl*'
    stat -c %N "$xl"* "$completion"*
    grep -c . "$completion"*
}

# As if the host had gone down just before or after a package's script calls
# dpkg-divert for the Nth time.
cut_short() { # before|after N COMMAND...
    echo "$2" > /tmp/calls
    echo "$1" > /tmp/when
    shift 2
    PATH=/tmp/bin:$PATH "$@" > /tmp/cut 2>&1
    cat /tmp/cut /tmp/calls
    [ "$(cat /tmp/calls)" = 0 ]
}

make_cutter() {
    mkdir /tmp/bin
    cat > /tmp/bin/dpkg-divert << 'END'
#!/bin/sh
calls=$(($(cat /tmp/calls) - 1))
echo $calls > /tmp/calls
[ "$calls $(cat /tmp/when)" = "0 before" ] || /usr/bin/dpkg-divert "$@"
if [ $calls = 0 ]; then
    # shellcheck disable=SC2046 # there may be two: one forks into a script
    kill -9 $(pidof dpkg) $PPID
fi
END
    chmod +x /tmp/bin/dpkg-divert
}

# The second call is for xl, the fourth for its completion.
sudden_ends() {
    make_cutter
    stands_in_for > /tmp/stands
    for call in 2 4; do
        ok "an install is cut short, $call" cut_short before $call \
            dpkg -i --no-triggers /root/deb/*.deb
        ok "there is an xl" "$xl" list
        ok "installed again, it is ours" reinstall
        ok "a removal is cut short, $call" cut_short after $call \
            dpkg -r --no-triggers xl-numa
        ok "installed again, it is ours" reinstall
        ok "a removal is cut short, $call" cut_short after $call \
            dpkg -r --no-triggers xl-numa
        ok "removed again, all is as it was" remove_again
    done
    head -c 100000 /root/deb/xl-numa_*.deb > /tmp/broken.deb
    ok "a damaged package is refused" not dpkg -i --no-triggers /tmp/broken.deb
    ok "and leaves no trace" stands_as_before
}

reinstall() {
    dpkg -i --no-triggers /root/deb/*.deb && is_ours
}

remove_again() {
    dpkg -P --no-triggers xl-numa && stands_as_before
}

stands_as_before() {
    stands_in_for | diff /tmp/stands -
}

# ---- guests ----

asks() { # NAME
    domid "$1" > "/tmp/old.$1"
    stock-xl reboot "$1" > "/tmp/asked.$1" 2>&1
}

comes_back() { # NAME
    cat "/tmp/asked.$1"
    await 60 lives_anew "$1" "$(cat "/tmp/old.$1")"
}

both_reboot() { # WHEN
    asks up
    asks web
    ok "$1, a guest that reboots comes back" comes_back up
    is "$(nodes_of up)" 2 "and every page is on node 2"
    ok "so does one that migrated in" comes_back web
    is "$(nodes_of web)" 1 "and every page is on node 1"
}

# How many processes that wait for a guest to reboot have a module that is no
# more.
with_old_module() {
    for pid in $(pidof xl); do
        grep -m 1 'xl-placement.so (deleted)' "/proc/$pid/maps"
    done | wc -l
}

# ---- the tests ----

# What tools/demo shows.
demo() {
    mib=100
    for guest in 'pinned cpus="6-7"' 'named nodes="2"' \
        'tight nodes_policy="best"' 'roomy nodes_policy="worst"'; do
        name=${guest%% *}
        case $name in
        pinned) expected=3 ;;
        named) expected=2 ;;
        tight) expected=$(expected_node best $mib 2) ;;
        roomy) expected=$(expected_node worst $mib 2) ;;
        esac
        create_with "$xl" idle "$name" "${guest#* }" memory=$mib vcpus=2
        is "$(nodes_of "$name")" "$expected" \
            "$xl create with ${guest#* }: every page is on node $expected"
    done
    destroy_all
    await 30 nothing_dies
}

# As init does at boot and at shutdown.
xendomains() {
    env -i PATH=/sbin:/usr/sbin:/bin:/usr/bin /etc/init.d/xendomains "$1"
}

at_boot() { # NODE
    mkdir -p /etc/xen/auto
    sed "\$a name = \"web\"\nmemory = 100\nnodes = \"$1\"" \
        /root/idle-pvh.cfg > /etc/xen/auto/web.cfg
    ok "xendomains starts what is in /etc/xen/auto" xendomains start
    is "$(nodes_of web)" "$1" "and places it"
    ok "it saves it when the host goes down" xendomains stop
    ok "there is no guest then" no_guests
    ok "and restores it at the next boot" xendomains start
    is "$(nodes_of web)" "$1" "and places it again"
    rm -r /etc/xen/auto /var/lib/xen/save
}

# As ssh runs it: by a shell with the PATH of a login, and little else.
incoming() { # NODE
    cat > /root/ssh << 'END'
#!/bin/sh
shift
exec env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin \
    sh -c "$*"
END
    chmod +x /root/ssh
    ok "a guest that migrates in by xl migrate -s SSH arrives" \
        "$xl" migrate -s /root/ssh web there
    is "$(nodes_of web)" "$1" "and every page is on node $1"
}

version_file=/sys/hypervisor/version/minor

minor() { # NUMBER: that of the running Xen, to all who look in sysfs
    echo "$1" > /tmp/minor
    mount -o bind /tmp/minor $version_file
}

# A Xen with the next number, whose tools are those of this one: the hypervisor
# and its libraries stay as they are, so this can run.
another_release() { # NODE
    this=$(cat $version_file) next=$(($(cat $version_file) + 1))
    ln -s "xen-4.$this" "/usr/lib/xen-4.$next"
    minor "$next"
    create_with "$xl" idle g "nodes=\"$1\"" memory=64
    is "$(grep '^xl: ' "$err")" "" "under another Xen, xl create says nothing"
    is "$(nodes_of g)" "$1" "and every page is on node $1"
    is "$("$xl" vcpu-pin g 0 4 all 2>&1)" "" "vcpu-pin says nothing either"
    is "$(affinity g)" "4 / all" "and pins"
    remove g
    rm "/usr/lib/xen-4.$next"
    is "$("$xl" list 2>&1)" "$(/usr/sbin/xentop 2>&1)" \
        "without the utilities for it, xl says what all of them say"
    umount $version_file
}

files > /tmp/before
sudden_ends
stock_create idle old memory=64
ok "the packages can be installed" dpkg -i /root/deb/*.deb
ok "xl is ours, the installed one beside it" is_ours
is "$(type xl)" "xl is $xl" "it is the one that a shell finds"
ok "tab: numa-* are completed" completes 'xl numa-st' at
ok "and what the installed xl has" completes 'xl pci-attac' h
ok "for its other name as well" completes 'xen numa-st' at
asks old
ok "a guest of before reboots" comes_back old
remove old
demo
at_boot 1
incoming 1
another_release 2

created idle up 'nodes="2"' memory=64
ok "they can be installed again" dpkg -i /root/deb/*.deb
ok "xl is ours still" is_ours
ok "the next version can be installed" dpkg -i /root/next/*.deb
is "$(version)" "$(dpkg-deb -f /root/next/xl-numa_*.deb Version)" "it is there"
ok "xl is ours still" is_ours
is "$(with_old_module)" 2 "what waits for the two guests has the old module yet"
both_reboot "after the upgrade"
ok "the packages can be removed" dpkg -r xl-numa libxl-numa0
ok "xl is the installed one's again" stock_is_back
ok "tab: and so is what completes it" leaves_alone 'xl numa-st'
ok "which does its part" completes 'xl pci-attac' h
both_reboot "after the removal"
destroy_all
ok "they can be purged" dpkg -P xl-numa libxl-numa0
ok "nothing of it is left" same_as_before
done_testing
