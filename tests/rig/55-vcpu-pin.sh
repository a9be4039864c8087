# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node --sched credit2
# thorough: what it tests seldom changes
#
# xl vcpu-pin reads, prints and pins as the installed xl, but for what that one
# gets wrong; and it says when memory stays behind.

. /root/lib.sh

# ---- the grammar ----

# 100 lines of two lists each, the first one right, the second maybe not. Left
# out is what the installed xl takes for something else, or never comes back
# from: a number with a sign "-". Other such numbers do not come up.
random_lists() { # SEED
    awk -v seed="$1" '
        function pick(n) { return int(rand() * n) }
        function number() {
            return substr(" ", 1, pick(12) == 0) substr("+", 1, pick(12) == 0) \
                substr("0", 1, pick(12) == 0) pick(12)
        }
        function range(first) {
            first = pick(10)
            return first "-" first + pick(6)
        }
        function elem(what) {
            what = pick(14)
            if (what == 0) return "all"
            if (what == 1) return "node:all"
            if (what == 2) return ""
            return substr("^", 1, pick(3) == 0) \
                (pick(3) ? "" : pick(2) ? "node:" : "nodes:") \
                (pick(2) ? number() : range())
        }
        function list(n, text) {
            text = elem()
            for (n = pick(5); n > 0; n--)
                text = text "," elem()
            return text
        }
        function spoil(text, at) {
            at = 1 + pick(length(text) + 1)
            return substr(text, 1, at - 1) \
                substr("^-x:,+ 0allnode:", 1 + pick(16), 1) \
                substr(text, at + pick(2))
        }
        BEGIN {
            srand(seed)
            while (lines < 100) {
                text = pick(5) > 3 ? list() : spoil(list())
                if (text ~ /(^|[-,^:]) *[+]* *-/ || text ~ /[0-9][0-9][0-9]/)
                    continue
                print list() ";" text
                lines++
            }
        }'
}

answers() { # XL
    while IFS=';' read -r hard soft; do
        map=$("$1" -N vcpu-pin 0 all "$hard" "$soft" 2> /dev/null)
        echo "status $? of '$hard' '$soft': $map"
    done < /tmp/lists
}

grammar() {
    seed=$(date +%s)
    echo "# srand($seed)"
    random_lists "$seed" > /tmp/lists
    answers xl > /tmp/ours
    answers stock-xl > /tmp/stock
    ok "200 random lists give the map and status of the installed xl" \
        diff /tmp/stock /tmp/ours
    ok "some of the random lists are right" \
        test "$(grep -c '^status 0.*: cpumap: ' /tmp/ours)" -gt 10
    ok "some of the random lists are wrong" \
        test "$(grep -c '^status 1.*: $' /tmp/ours)" -gt 10
}

dry_run() { # ARG...
    xl -N vcpu-pin Domain-0 "$@" > $out 2> $err
    ours="$? $(cat $out)"
    is "$ours" "$(stock-xl -N vcpu-pin Domain-0 "$@" 2> /dev/null > $out
        echo "$? $(cat $out)")" "xl -N vcpu-pin Domain-0 $*: as the installed xl"
}

dry_runs() {
    dry_run 0 -
    dry_run 0 - 1
    dry_run 0 99
    dry_run 0 '' ''
    dry_run 0 0-6
    dry_run 99 1
    dry_run -1 1
    dry_run 0 - -,1
    dry_run 0 1 bad
    xl -N vcpu-pin Domain-0 0 1 > /dev/full 2> $err
    is $? 1 "a full disk ends with status 1"
}

# ---- errors ----

says() { # WORD...
    line=$(cat "$err")
    echo "$line"
    [ "$(echo "$line" | wc -l)" = 1 ] || return 1
    for word; do
        case $line in
        "xl: "*"$word"*) ;;
        *)  echo "without '$word'"
            return 1 ;;
        esac
    done
}

refused() { # STATUS WORD -- ARG...
    refused_status=$1 refused_word=$2
    shift 3
    xl vcpu-pin "$@" > $out 2> $err
    is $? "$refused_status" "xl vcpu-pin $* ends with status $refused_status"
    ok "one line says '$refused_word'" says "$refused_word"
}

# "hard / soft" of each vCPU.
affinity_of() {
    stock-xl vcpu-list "$1" | awk 'NR > 1 { print $(NF - 2), $(NF - 1), $NF }'
}

# What the installed xl takes, for something else: an error, and where.
defects() {
    refused 1 "'0--2': wrong at offset 2: expected" -- g 0 0--2
    refused 1 "'1,4294967297': wrong at offset 2: expected" \
        -- g 0 1,4294967297
    refused 1 "'0,-2': wrong at offset 2: expected" -- g 0 0,-2
    refused 1 "'0,x': wrong at offset 2: expected" -- g 0 - 0,x
    refused 1 "'3x'" -- g 3x 0
    refused 1 "'4294967296'" -- g 4294967296 0
    refused 1 "expected some of CPUs 0-7" -- g all 99
}

errors() {
    refused 1 "has no vCPU 2: expected 0 to 1" -- g 2 0
    refused 1 "no domain 'nobody'" -- nobody 0 0
    refused 1 "no domain '4294967296'" -- 4294967296 0 0
    refused 1 "no domain ''" -- '' 0 0
    refused 1 "no domain '999'" -- 999 0 0
    refused 1 --force -- -f g all 0
    refused 1 "nothing to do" -- g 0 - -
    refused 2 "needs at least 3 arguments" -- g 0
    refused 2 "too many: '3'" -- g 0 1 2 3
}

going() {
    while_gone_goes vcpu-pin gone all 0-1
    is "$? $(cat $out $err)" "1 xl: cannot pin vCPU 0 of 'gone': it has gone" \
        "one line reports a guest that ends meanwhile, for all its vCPUs"
}

# ---- pinning ----

same() { # [-f|-i] VCPU HARD [SOFT]
    same_option=''
    case $1 in
    -[fi])
        same_option=$1
        shift ;;
    esac
    # shellcheck disable=SC2086 # no word if there is none
    {
        xl vcpu-pin $same_option ours "$@" > $out 2> $err
        ours=$?
        stock-xl vcpu-pin $same_option stock "$@" > /dev/null 2>&1
        stock=$?
    }
    is "$ours$(cat $out)" $stock \
        "$same_kind: xl vcpu-pin $same_option $* has the status of the installed xl"
    stock-xl vcpu-list > /tmp/list
    is "$(pinned ours)" "$(pinned stock)" \
        "xl vcpu-pin pins like the installed xl"
}

pinned() {
    awk -v name="$1" '$1 == name { print $(NF - 2), $(NF - 1), $NF }' /tmp/list
}

pins() { # CONFIG
    same_kind=$1
    created "$1" ours 'nodes="0"' vcpus=2 memory=64
    stock_create "$1" stock vcpus=2 memory=64 'cpus_soft="0-1"'
    same 0 0-1
    same all node:1,^3 -
    same 1 - 4-5
    same all all 1-6,^2
    same -f 0 5,99 all
    same all nodes:0-2 node:3
    cat >> /etc/xen/xl.conf << EOF
vm.cpumask = "0-5"
vm.hvm.cpumask = "0,2,4,6"
vm.pv.cpumask = "1,3,5,7"
EOF
    same 0 6-7
    same -i 0 6-7
    cp /tmp/xl.conf /etc/xen/xl.conf
    remove ours stock
}

bad_mask() { # LINE WORD
    echo "$1" >> /etc/xen/xl.conf
    refused 1 "$2" -- g 0 0-3
    ok "with -i xl vcpu-pin prints no warning" xl vcpu-pin -i g 0 all
    cp /tmp/xl.conf /etc/xen/xl.conf
}

bad_masks() {
    bad_mask 'vm.cpumask="1,x"' "/etc/xen/xl.conf: vm.cpumask='1,x': wrong at offset 2"
    bad_mask 'vm.pv.cpumask=["1"]' "/etc/xen/xl.conf: vm.pv.cpumask"
    bad_mask 'vm.cpumask="6-7"' "vm.cpumask='6-7'"
}

words() {
    create idle 'two words' memory=64
    ok "a guest with a blank in its name is created" xl vcpu-pin 'two words' 0 2
    is "$(affinity 'two words' | cut -d ' ' -f 1)" 2 \
        "the guest with a blank in its name is pinned"
    remove 'two words'
}

# ---- a soft affinity that does nothing ----

no_effect() {
    warns "a soft affinity without a CPU of the hard one" \
        "'g': soft affinity of vCPUs 0-1: none of these CPUs may be used: it has no effect" \
        g all 0-1 2-3
    warns "of one vCPU" \
        "'g': soft affinity of vCPU 1: none of these CPUs may be used: it has no effect" \
        g 1 - 4
    quiet "one of which a CPU is left" g all - 1-3
    ok "both vCPUs may run anywhere again" xl vcpu-pin g all all all
}

# ---- memory that stays behind ----

quiet() { # DESCRIPTION ARG...
    quiet_name=$1
    shift
    xl vcpu-pin "$@" > $out 2> $err
    is "$? $(cat $out $err)" "0 " "$quiet_name: nothing is printed"
}

warns() { # DESCRIPTION WORDS ARG...
    warns_name=$1 warns_words=$2
    shift 2
    xl vcpu-pin "$@" > $out 2> $err
    is "$? $(cat $out)" "0 " "$warns_name: the vCPU is pinned"
    is "$(cat $err)" "xl: warning: $warns_words" \
        "one line warns of remote memory"
}

remote() { # NODE ANOTHER
    cpus=$(cpus_of "$2")
    created idle far "nodes=\"$1\"" vcpus=2 memory=64
    is "$(nodes_of far)" "$1" "a guest has its memory on node $1"
    warns "one of its vCPUs bound elsewhere" \
        "'far': vCPU 0: its memory is on node $1, at distance $(distance "$2" "$1") from CPUs $cpus" \
        far 0 "$cpus"
    warns "both bound to node $2" \
        "'far': its memory is on node $1, at distance $(distance "$2" "$1") from CPUs $cpus" \
        far all "$cpus"
    quiet "bound to both nodes" far all "$cpus,node:$1" all
    warns "both prefer node $2" \
        "'far': its memory is on node $1, at distance $(distance "$2" "$1") from CPUs $cpus" \
        far all - "$cpus"
    remove far
    created idle far "nodes=\"$1,$2\"" memory=64
    warns "half of the memory is on node $2" \
        "'far': 32 of its 64 MiB are on node $1, at distance $(distance "$2" "$1") from CPUs $cpus" \
        far 0 "$cpus"
    remove far
}

# The installed xl's guests have no record of their memory.
unrecorded() {
    stock_create idle far memory=64
    node=$(node_affinity far)
    for other in $(cpu_nodes); do
        [ "$other" = "$node" ] || break
    done
    warns "a guest of the installed xl's, bound elsewhere" \
        "'far': its memory is, by its node affinity, on node $node, at distance $(distance "$other" "$node") from CPUs $(cpus_of "$other")" \
        far 0 "$(cpus_of "$other")"
    remove far
    quiet "Domain-0, which has no nodes" Domain-0 0 0-1
    stock-xl vcpu-pin Domain-0 0 all
}

pool() { # NODE
    cpus=$(cpus_of "$1")
    stock-xl cpupool-cpu-remove Pool-0 "$cpus"
    stock-xl cpupool-create 'name="pool"' "cpus=\"$cpus\"" > $out
    stock-xl cpupool-migrate g pool
    refused 1 "cpupool: expected some of CPUs $cpus" -- g 0 0
    ok "a guest of another cpupool is created" xl vcpu-pin g all all
}

cp /etc/xen/xl.conf /tmp/xl.conf
created idle g 'nodes="0"' vcpus=2 memory=64
grammar
dry_runs
before=$(affinity_of g)
defects
errors
is "$(affinity_of g)" "$before" "the refused commands have changed nothing"
bad_masks
words
no_effect
going
pins idle
pins idle-pvh
# shellcheck disable=SC2046 # words
set -- $(roomy 100)
remote "$2" "$1"
unrecorded
for last; do :; done
pool "$last"
done_testing
