# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# For the tests of placement in libvirtd.
#
#   placing_libvirtd_start   starts it as xl-numa-libvirt(7) says: with our
#                            module and our hook
#   preloaded                the module, as systemd would have it loaded
#   numa_log                 what it had to say, of libxl's log
#   handed_over              what the hook has left and the module not taken

# shellcheck source=tools/rig/dom0/libvirt.sh
. /root/libvirt.sh

preloaded() {
    sed -n 's/^Environment=LD_PRELOAD=//p' \
        /etc/systemd/system/libvirtd.service.d/xl-numa.conf
}

placing_libvirtd_start() {
    xl-numa-libvirt enable && libvirtd_start LD_PRELOAD="$(preloaded)"
}

numa_log() {
    sed -n 's/.*numa: //p' /var/log/libvirt/libxl/libxl-driver.log
}

handed_over() {
    find /run/xen/numa-libvirt -mindepth 1 2> /dev/null
}
