# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tools/rig/dom0/rig.sh
#
# For scripts that run with --with-libvirt: . /root/libvirt.sh
#
#   libvirtd_start [VARIABLE=VALUE...]  starts libvirtd with this environment,
#                                   waits until it answers; shows its log if not.
#                                   $libvirtd_options: more options of its own
#   libvirtd_stop                   ends it, waits for that
#   libvirtd_pid                    prints its process
#   domain_xml CONFIG NAME MIB VCPUS [XML...]
#                                   prints a domain for virsh: an idle guest, as
#                                   idle.cfg or idle-pvh.cfg has it. VCPUS can
#                                   be all of <vcpu cpuset='2-3'>1</vcpu>; the
#                                   XML comes behind it
#   virsh_create CONFIG NAME MIB VCPUS [XML...]
#                                   creates that domain
#
# virsh talks to this daemon by itself. What it has to say is in
# /var/log/libvirtd.log, what libxl has in /var/log/libvirt/libxl.

. /root/rig.sh

libvirtd_log=/var/log/libvirtd.log

libvirtd_pid() {
    cat /run/libvirtd.pid
}

is_no_process() {
    [ ! -e "/proc/$1" ]
}

libvirtd_answers_or_ends() {
    virsh uri || is_no_process "$(libvirtd_pid)"
}

libvirtd_start() {
    # shellcheck disable=SC2086 # words
    if ! env "$@" libvirtd -d ${libvirtd_options:-} ||
       ! await 60 libvirtd_answers_or_ends ||
       is_no_process "$(libvirtd_pid)"; then
        echo "libvirtd does not answer:"
        tail -n 20 $libvirtd_log
        return 1
    fi
}

libvirtd_stop() {
    libvirtd_old=$(libvirtd_pid) && kill "$libvirtd_old" &&
        await 60 is_no_process "$libvirtd_old"
}

# The element <os> of an idle guest.
domain_os() { # CONFIG
    case $1 in
    idle)     domain_machine=xenpv domain_type=linux ;;
    idle-pvh) domain_machine=xenpvh domain_type=xenpvh ;;
    *)        echo "domain_xml: no domain '$1'" >&2; return 1 ;;
    esac
    printf "<os><type arch='x86_64' machine='%s'>%s</type>" \
        $domain_machine $domain_type
    echo "<kernel>/boot/guest</kernel></os>"
}

domain_xml() {
    domain_os=$(domain_os "$1") || return
    domain_name=$2 domain_mib=$3 domain_vcpus=$4
    shift 4
    case $domain_vcpus in
    [0-9]*) domain_vcpus="<vcpu>$domain_vcpus</vcpu>" ;;
    esac
    printf '%s\n' "<domain type='xen'>" "<name>$domain_name</name>" \
        "<memory unit='MiB'>$domain_mib</memory>" "$domain_vcpus" "$@" \
        "$domain_os" "<on_reboot>restart</on_reboot>" \
        "<devices><console type='pty'/></devices>" "</domain>"
}

virsh_create() {
    domain_xml "$@" > "/tmp/$2.xml" && virsh create "/tmp/$2.xml"
}
