# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Starts libvirtd, with our placement, so that another host's reaches it: the
# argument is the last digit of a uuid, which two hosts must not share.

# shellcheck source=tests/rig/lib.sh
. /root/lib.sh
# shellcheck source=tests/rig/libvirt-placement.sh
. /root/libvirt-placement.sh

conf=/etc/libvirt/libvirtd.conf
sed -i '/^listen_tcp/d' $conf
printf '%s\n' 'listen_tcp = 1' 'auth_tcp = "none"' \
    "host_uuid = \"10000000-0000-0000-0000-00000000000$1\"" >> $conf
libvirtd_options=--listen placing_libvirtd_start
