# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
#
# Three spinning guests, each on a node of its own; where Xen runs them. For
# 50-spin.sh and 51-spin-credit2.sh.

three_guests() { # NODES_CPUS VCPUS
    spin_mode=$1 spin_vcpus=$2
    # shellcheck disable=SC2046 # words
    set -- $(roomy 150)
    printf '%s\n' "a $1" "b $2" "c $3" > /tmp/homes
    while read -r guest node; do
        created spin "$guest" "nodes=\"$node\"" \
            "nodes_cpus=\"$spin_mode\"" vcpus="$spin_vcpus" memory=64
    done < /tmp/homes
    is "$(for guest in a b c; do echo "$guest $(nodes_of $guest)"; done)" \
        "$(cat /tmp/homes)" "$spin_mode: the guests are on three nodes"
    await 60 all_spin || echo "# not all vCPUs are running"
}

# The second vCPU is started by the first.
all_spin() {
    [ "$(rig-xen vcpus 1 | wc -l)" = $((3 * spin_vcpus)) ]
}

# "guest/vcpu cpu" for each vCPU and sample; then the guests may go, which
# leave the machine little time for anything else.
take_samples() { # NUMBER
    rig-xen vcpus "$1" | awk '{ print $1 "/" $2, $3 }' > /tmp/samples
    destroy_all
    cpu_list | sed 's/^/cpu /' > /tmp/places
}

vcpus() {
    awk '{ print $1 }' /tmp/samples | sort -u
}

# "a/0: 59 of 60 on node 2"
share() { # VCPU
    { cat /tmp/places; sed 's/^/home /' /tmp/homes; cat /tmp/samples; } | awk -v vcpu="$1" '
        $1 == "cpu" { node[$2] = $3; next }
        $1 == "home" { home[$2] = $3; next }
        $1 == vcpu {
            guest = $1
            sub("/.*", "", guest)
            nr++
            here += node[$2] == home[guest]
        }
        END { print vcpu ": " here + 0 " of " nr + 0 " on node " home[guest] }'
}

at_home() { # VCPU PERCENT SAMPLES
    share "$1"
    share "$1" | awk -v percent="$2" -v nr="$3" '
        { exit !($4 == nr && $2 * 100 >= $4 * percent) }'
}
