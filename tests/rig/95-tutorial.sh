# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node --put tests/rig/libvirt-placement.sh:/root/libvirt-placement.sh --put docs/xl-numa-tutorial.7.pod:/root/tutorial.pod --put docs/examples/tutorial:/root/tutorial
# libvirt: half of the tutorial is for virsh
# thorough: it is a long one
#
# Each command of xl-numa-tutorial(7), run in turn, prints what the page says. It
# is a line that begins with '# ', set in by four; what it prints is below.

. /root/lib.sh
# shellcheck source=tests/rig/libvirt-placement.sh
. /root/libvirt-placement.sh

# N.command and N.output in this directory.
take_examples() { # PAGE
    awk '
        /^    # / {
            name = sprintf("%03d", ++nr)
            print substr($0, 7) > (name ".command")
            printf "" > (name ".output")
            next
        }
        /^[^ ]/ { name = "" }
        name != "" && /./ { print substr($0, 5) > (name ".output") }' "$1"
}

# What the page says differs from run to run. On a slow machine a move shows its
# progress, and the first guest is minutes old. Empty lines do not show in the page.
steady() {
    sed -e '/^$/d' -e 's/\(CPU frequency: *\)[0-9]*/\1N/' \
        -e 's/^\(CPU: *\)[0-9]*/\1N/' -e 's/^\(State: *\).*/\1S/' \
        -e '/^CPU time: /d' -e 's/oldest: [0-9]* \(s\|min\)/oldest: N s/' \
        -e "/^'[^']*': [0-9]* % copied/d" \
        -e 's/paused for [0-9.]* s/paused for N s/' \
        -e 's/Domain-0 holds [0-9]* MiB/Domain-0 holds N MiB/' "$1"
}

# Free memory may be 2 % more or less.
alike() { # FILE FILE
    awk '
        function number(word) { return word ~ /^[0-9]+$/ && word >= 100 }
        function same(a, b) {
            return a == b || number(a) && number(b) &&
                a - b < b / 50 && b - a < b / 50
        }
        NR == FNR { line[NR] = $0; nr = NR; next }
        {
            words = split(line[FNR], word)
            bad = bad || words != NF
            for (i = 1; i <= NF; i++)
                bad = bad || !same(word[i], $i)
        }
        END { exit bad || FNR != nr }' "$1" "$2"
}

# A guest that reboots is there again before the page goes on.
settle() { # NAME
    ! grep -q '^virsh reboot' "$1.command" || await 60 console_has web up, 2
}

prints_what_it_says() { # NAME
    (cd /root/tutorial && sh "/tmp/page/$1.command") > "$1.got" 2>&1
    settle "$1"
    steady "$1.output" > /tmp/shown
    steady "$1.got" > /tmp/got
    [ ! -s /tmp/shown ] && [ ! -s /tmp/got ] || alike /tmp/shown /tmp/got ||
        { cat "$1.got"; return 1; }
}

run_page() { # PAGE
    mkdir /tmp/page
    cd /tmp/page || exit
    take_examples "$1"
    for command in *.command; do
        ok "$(cat "$command")" prints_what_it_says "${command%.command}"
    done
}

ok "libvirtd starts with the module" placing_libvirtd_start
run_page /root/tutorial.pod
done_testing
