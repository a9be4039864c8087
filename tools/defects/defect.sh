# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the scripts of this directory share. Each sources this file, sets
# $machine to options of tools/rig/rig, and runs
#
#   defect "$@" << 'EOT'            a script for dom0, which ends with one of
#                                   there, fixed, cannot_tell: see dom0.sh
#
# A script may define a function that is called if the machine ended or the time
# ran out before dom0 had an answer:
#
#   ended STATUS LOG OUTPUT         STATUS is that of rig, LOG has the consoles,
#                                   OUTPUT what dom0 had printed. It ends with
#                                   there, fixed or cannot_tell, too.

defects_dir=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
top_dir=$defects_dir/../..
machine=()
readonly is_there=11 is_fixed=10    # no accident ends a script with these

# The comment at the head of the script.
explain() {
    awk 'NR <= 3 { next } !/^#/ { exit } { sub(/^# ?/, ""); print }' "$0"
    cat << EOT

usage: tools/defects/$(basename "$0") [OPTION...]

OPTIONs go to tools/rig/rig: --suite bookworm, --suite trixie, --xen DIR.
Exit status: 1 the defect is there, 0 it is fixed, 3 the run did not tell.
EOT
}

there() {
    echo "the defect is there: $*"
    exit 1
}

fixed() {
    echo "fixed: $*"
    exit 0
}

cannot_tell() {
    echo "cannot tell: $*"
    exit 3
}

no_answer() { # STATUS
    if declare -F ended > /dev/null; then
        ended "$1" "$tmp/log" "$tmp/out"
    fi
    cannot_tell "dom0's script or the rig ended with status $1"
}

defect() { # RIG-OPTION...
    local status
    if [[ ${1:-} == --help ]]; then
        explain
        exit 0
    fi
    tmp=$(mktemp -d)
    trap 'rm -rf "$tmp"' EXIT
    { echo '. /root/defect.sh'; cat; } > "$tmp/script"
    "$top_dir/tools/rig/rig" --stock --no-linux --log "$tmp/log" \
        --put "$top_dir/tests/rig/lib.sh:/root/lib.sh" \
        --put "$defects_dir/dom0.sh:/root/defect.sh" \
        "${machine[@]}" "$@" "$tmp/script" < /dev/null | tee "$tmp/out"
    status=${PIPESTATUS[0]}
    case $status in
    "$is_there")  exit 1 ;;
    "$is_fixed") exit 0 ;;
    3)            exit 3 ;;
    *)            no_answer "$status" ;;
    esac
}
