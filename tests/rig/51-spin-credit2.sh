# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node --sched credit2 --put tests/rig/spin.sh:/root/spin.sh
# alone: its guests take all CPUs of the machine
# thorough: it measures, and promises nothing
#
# The same under credit2, whose load balancer does not look at soft affinity:
# how it does there is shown, not judged. One vCPU a guest: with two the
# machine has no time left for dom0.

. /root/lib.sh
. /root/spin.sh

three_guests soft 1
take_samples 20
for vcpu in $(vcpus); do
    echo "# credit2, soft: $(share "$vcpu")"
done
done_testing
