# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node --sched credit --put tests/rig/spin.sh:/root/spin.sh
# alone: its guests take all CPUs of the machine
# thorough: a minute alone; 15-cpus and others see the affinities themselves
#
# Busy vCPUs run on the nodes of their memory.

. /root/lib.sh
. /root/spin.sh

three_guests soft 2
take_samples 60
for vcpu in $(vcpus); do
    ok "soft: $vcpu is on its node in 95 % of 60 samples" at_home "$vcpu" 95 60
done

three_guests hard 2
take_samples 8
for vcpu in $(vcpus); do
    ok "hard: $vcpu is on its node in all samples" at_home "$vcpu" 100 8
done
done_testing
