#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2317
# Tables on terminals of several sizes, and into a pipe.

numa=$(cd "${top_builddir:-.}" && pwd)/xl/xl-numa
source=$(cd "${top_srcdir:-.}" && pwd)
. "${top_srcdir:-.}/tests/unit/tap.sh"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
unset COLUMNS LINES NO_COLOR
export LC_ALL=C.UTF-8 TERM=xterm

make_host() { # FILE NODES CPUS-OF-EACH DOMAINS
    awk -v nodes="$2" -v cpus="$3" -v domains="$4" -v vcpus=2 \
        -f "$source/tests/unit/large-host.awk" > "$1"
}

make_host 4.json 4 2 5
make_host 8.json 8 8 5
make_host 64.json 64 8 300

# The lines without the blanks at their ends are those of `expected`.
prints() { # COMMAND...
    "$@" > raw 2>&1
    sed 's/ *$//' raw > out
    diff expected out > difference && return
    sed 's/^/# /' difference
    return 1
}

stat() { # HOST OPTION...
    host=$1
    shift
    "$numa" numa-stat --host "$host" "$@"
}

# What a terminal of this size gets.
on_terminal() { # COLUMNS LINES COMMAND...
    size="cols $1 rows $2"
    shift 2
    script -qec "stty $size; $*" /dev/null < /dev/null | tr -d '\r'
}

widest() {
    awk '{ sub(/ *$/, "") } length() > n { n = length() } END { print n + 0 }'
}

fits() { # COLUMNS COMMAND...
    "$numa" "$2" --host "$3" -w "$1" > out 2>&1 || return 1
    [ "$(widest < out)" -le "$1" ] && [ -s out ] && return
    sed 's/^/# /' out | head
    return 1
}

# ---- what fits ----

cat > expected << 'END'
Memory in MiB, as saved on 'large', 2026-11-29 16:04:05 UTC
NAME     ID NODE0 NODE1 NODE2 NODE3 TOTAL LOCAL NOW_LOCAL DISTANCE NOW_NODES
Domain-0  0     ?     ?     ?     ?  1024     -         -        - 0
guest1    1     0  2048     0     0  2048  100%      100%     10.0 1
guest2    2     0     0  3072     0  3072  100%      100%     10.0 2
guest3    3  1023  1024  1023  1024  4096   24%       24%     14.5 0
guest4    4  5120     0     0     0  5120    0%        0%     16.0 2
guest5    5     0  6144     0     0  6144  100%      100%     10.0 1
Total        6143  9216  4095  1024 20480
?: not in the file; not in the total
END
check "in 80 columns four nodes have a column each" prints stat 4.json -w 80
cat > expected << 'END'
Memory in MiB, as saved on 'large', 2026-11-29 16:04:05 UTC
NAME     ID NODES                       TOTAL LOCAL NOW_LOCAL DISTANCE NOW_NODES
Domain-0  0 ?                            1024     -         -        - 0
guest1    1 1: 2048                      2048  100%      100%     10.0 1
guest2    2 2: 3072                      3072  100%      100%     10.0 2
guest3    3 0-3: 4096                    4096   24%       24%     14.5 0
guest4    4 4: 5120                      5120    0%        0%     32.0 0
guest5    5 5: 6144                      6144  100%      100%     10.0 5
Total       0: 1023, 1: 3072, 2: 4095,… 20480
?: not in the file; not in the total
END
check "in 80 columns eight nodes have one column" prints stat 8.json -w 80
for host in 4 8 64; do
    for width in 80 120 200; do
        check "numa-stat of $host nodes fits into $width columns" \
            fits $width numa-stat $host.json
        check "numa-info of $host nodes fits into $width columns" \
            fits $width numa-info $host.json
    done
done
cat > expected << 'END'
NODE DISTANCES
   0 10,16x3,32x60
END
check "equal distances are shortened to a count" \
    prints "$numa" numa-info --host 64.json -w 80 -o NODE,DISTANCES 0
cat > expected << 'END'
NODE DISTANCES       NAMES
   9 32x8,16,10,16,… guest9,guest73,…
END
check "a long list is cut after an item" \
    prints "$numa" numa-info --host 64.json -w 37 -o NODE,DISTANCES,NAMES 9
check "without UTF-8 the end is three dots" \
    sh -c "LC_ALL=C '$numa' numa-info --host 64.json -w 37 -o NAMES 9 |
        grep -qx 'guest9,guest73,guest137,guest201,\.\.\. *'"

# ---- a pipe ----

stat 64.json > whole
same "$(sed -n 2p whole | tr -s ' ' '\n' | grep -c '^NODE[0-9]')" 64 \
    "a pipe gets a column for each node"
check "a pipe gets uncut texts" sh -c '! grep -q "…" whole'
stat 64.json -w 0 | cmp - whole
result $? "-w 0 prints the same as a pipe gets"
same "$("$numa" numa-info --host 64.json -o DISTANCES 0 | sed 1d |
    tr ',' '\n' | wc -l)" 64 "a pipe gets each distance"

# ---- a terminal ----

if script -qec true /dev/null < /dev/null > /dev/null 2>&1; then
    on_terminal 80 24 "'$numa'" numa-stat --color=never --host 8.json > out
    stat 8.json -w 80 | cmp - out
    result $? "a table fits into a terminal of 80 columns"
    on_terminal 0 0 "'$numa'" numa-stat --color=never --host 8.json |
        cmp - out
    result $? "a terminal without a size counts as 80 columns wide"
    on_terminal 80 24 "'$numa'" numa-stat --host 8.json > colours
    same "$(grep -c "$(printf '\033')" colours)" 2 \
        "remote memory has a colour"
    for variable in NO_COLOR=1 TERM=dumb TERM=; do
        on_terminal 80 24 env $variable "'$numa'" numa-stat --host 8.json |
            cmp - out
        result $? "with $variable there are no colours"
    done
else
    echo "# no pseudo-terminal here"
fi
check "a pipe has no colours" \
    sh -c "! '$numa' numa-stat --host 8.json | grep -q '$(printf '\033')'"
check "a pipe has colours with --color=always" \
    sh -c "'$numa' numa-stat --host 8.json \
    --color=always | grep -q '$(printf '\033')'"

# ---- --sort and -H ----

cat > expected << 'END'
Memory, as saved on 'large', 2026-11-29 16:04:05 UTC
NAME     TOTAL NODES
guest5    6.0G 5: 6.0G
guest4    5.0G 4: 5.0G
guest3    4.0G 0-3: 4.0G
guest2    3.0G 2: 3.0G
guest1    2.0G 1: 2.0G
Domain-0  1.0G ?
Total      20G 0: 1023M, 1: 3.0G, 2: 3.9G, 3: 1.0G, 4: 5.0G, 5: 6.0G
?: not in the file; not in the total
END
check "--sort=-COLUMN reverses the order, and -H prints units" \
    prints stat 8.json -H --sort=-total -o NAME,TOTAL,NODES
same "$(stat 64.json -o NAME --sort NAME | sed -n '3,6p' | tr '\n' ' ' |
    tr -s ' ')" "Domain-0 guest1 guest2 guest3 " \
    "--sort by name: numbers in names are numbers"
same "$(stat 8.json -o ID --sort LOCAL | sed -n '3,8p' | tr -d '\n')" \
    " 4 3 1 2 5 0" \
    "--sort puts unknown values last"
same "$(stat 8.json --json --sort=-ID | grep -o '"id": *[0-9]*' |
    tr -dc '0-9')" 543210 "--sort orders JSON too"

says() { # STATUS LINE OPTION...
    status=$1 line=$2
    shift 2
    stat 8.json "$@" > out 2>&1
    same "$? $(cat out)" "$status xl: $line" "these options are refused: $*"
}

says 2 "numa-stat: --width takes a number from 0 to 100000, not '8x': see \
'xl numa-stat --help'" --width=8x
says 2 "numa-stat: --color takes auto, always or never, not 'red': see 'xl \
numa-stat --help'" --color=red
stat 8.json --sort SIZE > out 2>&1
same "$? $(cut -d : -f 1-2 out)" "2 xl: unknown column 'SIZE'" \
    "--sort by a column that does not exist is refused"

finish
