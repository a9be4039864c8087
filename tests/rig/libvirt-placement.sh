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
#   hold_libvirtd            its next create stops it as a whole, once it has
#                            planned: /tmp/trace.libvirtd says so
#   no_longer_traced         what held it ends
#   reserved                 MiB that are promised on all nodes

# shellcheck source=tools/rig/dom0/libvirt.sh
. /root/libvirt.sh

preloaded() {
    sed -n 's/^Environment=LD_PRELOAD=//p' \
        /etc/systemd/system/libvirtd.service.d/zz-xl-numa.conf
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

hold_libvirtd() {
    rm -f /tmp/trace.libvirtd
    strace -f -o /tmp/trace.libvirtd -p "$(libvirtd_pid)" \
        -P /run/xen/numa/lock -e trace=close \
        -e inject=close:signal=SIGSTOP:when=2 2> "$err" &
    tracer=$!
    await 30 grep -q attached "$err"
}

no_longer_traced() {
    { kill $tracer && wait $tracer; } 2> /dev/null
}

reserved() {
    xl numa-info -o NODE,RESERVED 2> /dev/null |
        awk 'NR > 1 { sum += $2 } END { print sum + 0 }'
}
