# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# For scripts that run with --pair and --with-ssh: . /root/ssh.sh
#
#   ssh_introduce HOST      makes that sshd runs on the other host, lets root of this
#                           one in by a key, and is known here: ssh asks nothing
#   ssh_serve               starts sshd here
#
# The keys are made for the run.

ssh_serve() {
    [ ! -e /etc/ssh/ssh_host_ed25519_key ] || return 0
    mkdir -p /run/sshd /root/.ssh
    ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
    /usr/sbin/sshd
}

ssh_introduce() {
    mkdir -p /root/.ssh
    [ -e /root/.ssh/id_ed25519 ] ||
        ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
    rig-peer "$1" '. /root/ssh.sh; ssh_serve' &&
        rig-peer "$1" 'cat >> /root/.ssh/authorized_keys' < /root/.ssh/id_ed25519.pub &&
        echo "$1 $(rig-peer "$1" cat /etc/ssh/ssh_host_ed25519_key.pub)" \
            >> /root/.ssh/known_hosts
}
