#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# host: it starts two machines, one after the other
# thorough: two machines, of two releases of Debian
#
# A Debian 13 that was a Debian 12 has two releases of Xen side by side, and may
# boot either one. The same build places domains under both, and a guest that
# was saved under the old one is restored under the new one.

set -uo pipefail

tests_dir=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
rig=$tests_dir/../../tools/rig/rig
# shellcheck source=tests/rig/machines.sh
. "$tests_dir/machines.sh"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# booted SCRIPT MINOR OPTION...: its output
booted() {
    "$rig" --suite trixie --one-thread --no-linux "${@:3}" \
        --put "$tests_dir/lib.sh:/root/lib.sh" "$1" "$2" < /dev/null
}

cat > "$tmp/used" << 'EOT'
. /root/lib.sh

quiet() {
    "$@" > "$out" 2> "$err" || { cat "$out" "$err"; return 1; }
}

xen=4.$1

# Each place has its own: Debian's is found by the running release.
other_tools() {
    find /usr/lib/xen-[0-9]* -path '*/bin/xl' | grep -vF "/xen-$xen/"
}

is "$(stock-xl info | sed -n 's/^xen_minor *: //p')" "$1" "$xen runs"
ok "$xen: the tools of another release are installed" other_tools
created idle-pvh g 'nodes="2"' memory=32 vcpus=2
is "$(grep -v "^Parsing config" "$err")" "" \
    "$xen: xl create prints nothing"
is "$(nodes_of g)" 2 "$xen: every page is on node 2"
is "$(affinity g)" "all / $(cpus_of 2)" \
    "$xen: the vCPUs prefer the CPUs of that node"
ok "$xen: xl vcpu-pin pins" quiet xl vcpu-pin g 0 "$(cpus_of 2)"
is "$(affinity g)" "$(cpus_of 2) / $(cpus_of 2)" \
    "$xen: the installed xl shows the pin"
ok "$xen: xl numa-stat works" quiet xl numa-stat --json
ok "$xen: xl numa-stat shows the guest" grep -q '"g"' "$out"
ok "$xen: xl numa-info works" quiet xl numa-info
ok "$xen: the guest is up" await 60 console_has g "idle: up"
ok "$xen: xl numa-move moves it" quiet xl numa-move g 1
is "$(nodes_of g)" 1 "$xen: every page is on node 1"
EOT

cat "$tmp/used" - > "$tmp/old" << 'EOT'
ok "$xen: xl save saves it" quiet xl save g /tmp/saved
echo SAVED
gzip < /tmp/saved | base64
EOT

cat "$tmp/used" - > "$tmp/new" << 'EOT'
remove g
gzip -d < /root/saved.gz > /tmp/saved
ok "$xen: xl restore restores a guest of the release before" \
    quiet xl restore /tmp/saved
is "$(nodes_of g)" 1 \
    "$xen: every page is on the node that the guest was moved to"
ok "$xen: the guest runs" await 60 grep -q resumed \
    /var/log/xen/console/guest-g.log
EOT

both() {
    booted "$tmp/old" 17 --xen bookworm --other-xen trixie > "$tmp/out" ||
        echo "not ok 0 - the machine that booted 4.17"
    sed '/^SAVED$/,$d' "$tmp/out"
    sed '1,/^SAVED$/d' "$tmp/out" | base64 -d > "$tmp/saved.gz"
    booted "$tmp/new" 20 --other-xen bookworm \
        --put "$tmp/saved.gz:/root/saved.gz" ||
        echo "not ok 0 - the machine that booted 4.20"
}

both 2>&1 | tee "$tmp/tap" | renumber
! grep -q '^not ok' "$tmp/tap"
