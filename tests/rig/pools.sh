# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2034 # what is set here is read by the scripts
#
# Guests in cpupools, and how they are built again.

# shellcheck source=tests/rig/lib.sh
. /root/lib.sh

# Pools qa and qb of these CPUs, which leave Pool-0. Domain-0 is out of the way:
# Xen 4.17 may hang when a CPU on which it runs changes its pool.
pools_two() { # CPUS CPUS
    stock-xl vcpu-pin 0 all 0-1
    stock-xl cpupool-cpu-remove Pool-0 "$1"
    stock-xl cpupool-cpu-remove Pool-0 "$2"
    stock-xl cpupool-create name=\"qa\" sched=\"${scheduler:-credit2}\" "cpus=\"$1\"" > "$out"
    stock-xl cpupool-create name=\"qb\" sched=\"${scheduler:-credit2}\" "cpus=\"$2\"" > "$out"
}

quiet() {
    "$@" > "$out" 2> "$err" || { cat "$out" "$err"; return 1; }
}

pool_of() { # NAME
    stock-xl list -c "$1" | awk 'NR == 2 { print $NF }'
}

hard() { # NAME [VCPU]
    affinity "$@" | sed 's, / .*,,'
}

# What is written while it is built again: by xl itself, and by the process that
# watches the guest.
log_of() { # NAME
    echo "/var/log/xen/xl-$1.log"
}

again_reboot() { # NAME
    again_old=$(domid "$1")
    quiet stock-xl reboot "$1" && await 60 lives_anew "$1" "$again_old"
}

again_save() { # NAME
    quiet xl save "$1" "/tmp/$1.save" && quiet xl restore "/tmp/$1.save" &&
        cat "$err" >> "$(log_of "$1")"
}

again_migrate() { # NAME
    quiet xl migrate -s '' "$1" 'xl migrate-receive' &&
        cat "$err" >> "$(log_of "$1")"
}

comes_back() { # NAME HOW
    : > "$(log_of "$1")"
    ok "$1 comes back: $2" "again_$2" "$1" || sed 's/^/# /' "$(log_of "$1")"
}

warned() { # NAME TEXT
    ok "a warning says: $2" grep -qF "$2" "$(log_of "$1")" ||
        sed 's/^/# /' "$(log_of "$1")"
}

silent() { # NAME DESCRIPTION
    is "$(grep 'numa: ' "$(log_of "$1")")" "" "$2"
}
