# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# linux: it is what is tested
# threads: in one, Linux as PVH gets interrupts twice, see tools/rig/README.md
#
# Does Debian's kernel run as a guest of the rig? Works on every topology that
# comes with it, and uses nothing of ours but the rig itself.

# shellcheck disable=SC1091 # it is in dom0
. /root/rig.sh

test_linux() { # CONFIG
    ok "$1: Linux starts" stock-xl create "/root/$1.cfg" vcpus=2
    ok "$1: Linux gets to user space" \
        await 120 console_has "$1" "GUEST-UP cpus=2"
    ok "$1: Linux obeys a shutdown" stock-xl shutdown "$1"
    ok "$1: the guest no longer exists" await 120 is_gone "$1"
}

if [ "$(grep -c ^node /root/topology)" -gt 16 ]; then
    skip "Linux takes minutes beside so many processors" 8
else
    test_linux pv
    test_linux pvh
fi
done_testing
