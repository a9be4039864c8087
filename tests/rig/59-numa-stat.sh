# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh source=tests/rig/lib.sh disable=SC2317
# rig: --topology 4node --sched credit2
# thorough: 300 domains come and go
#
# xl numa-stat, beside what Xen itself reports.

. /root/lib.sh

# "node pages" of a domain in the JSON of numa-stat, like pages_of.
stat_pages() { # NAME [OPTION...]
    stat_name=$1
    shift
    xl numa-stat --json "$@" "$stat_name" | json_lines | awk -F : '
        $1 == "node" { node = $2 }
        $1 == "bytes" { print node, $2 / 4096 }'
}

stat_key() { # NAME KEY [OPTION...]
    stat_name=$1 key=$2
    shift 2
    xl numa-stat --json "$@" "$stat_name" | json_lines |
        awk -F : -v key="$key" '$1 == key { print $2 }'
}

# One line of the table.
stat_line() { # NAME [OPTION...]
    line_name=$1
    shift
    xl numa-stat "$@" | grep "^$line_name "
}

agrees() { # NAME
    seen=$(pages_of "$1")
    ok "$1: numa-stat has the pages at build as Xen counts them" \
        about_the_same "$(stat_pages "$1")" "$seen"
    is "$(stat_pages "$1" --pages)" "$seen" \
        "$1: numa-stat --pages has each page"
    is "$(stat_pages "$1" | ranges)" "$(node_affinity "$1")" \
        "$1: numa-stat has the nodes that the installed xl list -n shows"
}

# Three nodes with CPUs and room, the last one for vCPUs only.
# shellcheck disable=SC2046 # words
set -- $(roomy 150)
first=$1 second=$2 third=$3

guests() {
    created idle pv "nodes=\"$second\"" memory=64
    created idle-pvh pvh "nodes=\"$first,$second\"" memory=100
    created idle "two words" "nodes=\"$third\"" memory=32
    stock_create idle stock memory=32
    for guest in pv pvh "two words"; do
        agrees "$guest"
    done
    is "$(stat_pages stock --pages)" "$(pages_of stock)" \
        "numa-stat --pages has a guest of the installed xl"
    is "$(stat_line stock -o NAME,NODE0,LOCAL,SOURCE | one_line)" stock \
        "numa-stat lists a guest of the installed xl"
    is "$(stat_line stock -o NAME,NODE0,LOCAL,SOURCE | tr -s ' ')" \
        "stock ? - ?" "the memory of that guest is not known"
    is "$(stat_key stock source)" null \
        "JSON has null for memory that is not known"
    is "$(stat_key "two words" name)" twowords "a name with a space is accepted"
}

# "TOTAL" of each line is the sum of its nodes, and so is "Total".
sums() {
    xl numa-stat --json --pages | json_lines | awk -F : '
        function check() { if (sum != total) print "off by", sum - total }
        $1 == "name" { check(); nr++; sum = 0 }
        $1 == "total_bytes" { total = $2 }
        $1 == "bytes" { sum += $2 }
        END { check(); print nr }'
}

locality() {
    is "$(stat_line pv -o NAME,LOCAL,DISTANCE,APART | tr -s ' ')" \
        "pv 100% 10.0 " "all memory of a local guest is local"
    both=$(distance "$first" "$second")
    is "$(stat_key pvh distance)" "$(awk -v d="$both" \
        'BEGIN { printf "%.3f", (10 + d) / 2 }')" \
        "a guest with vCPUs on both nodes has the mean distance"
    stock-xl vcpu-pin pv all - "$(cpus_of "$third")"
    far=$(distance "$third" "$second")
    is "$(stat_line pv -o NAME,LOCAL,DISTANCE,APART | tr -s ' ')" \
        "pv 0% $far.0 *" \
        "a guest whose vCPUs prefer another node is marked, with the distance"
    ok "a line says what * means" sh -c \
        "xl numa-stat | grep -q '^\*: .*less than half'"
    is "$(stat_key pv apart) $(stat_key pvh apart)" "true false" \
        "JSON marks the guest, too"
    stock-xl vcpu-pin pv all "$(cpus_of "$second")" all
    is "$(stat_key pv local)" 1.000 \
        "a guest that is bound to its node is local again"
    stock-xl cpupool-create 'name="other"' > "$out"
    cpu=$(cpus_of "$third" | sed 's/.*[-,]//')
    stock-xl cpupool-cpu-remove Pool-0 "$cpu"
    stock-xl cpupool-cpu-add other "$cpu"
    stock-xl cpupool-migrate pvh other
    is "$(stat_key pvh vcpu_nodes)" "$third" \
        "a guest moves into another cpupool"
    is "$(stat_line pvh -o NAME,LOCAL,VCPU_NODES | tr -s ' ')" \
        "pvh 0% $third" "the CPUs of that cpupool count"
    stock-xl cpupool-migrate pvh Pool-0
    stock-xl cpupool-cpu-remove other "$cpu"
    stock-xl cpupool-cpu-add Pool-0 "$cpu"
    stock-xl cpupool-destroy other
}

# dom0 runs while it is looked at. Its nodes with most and with little memory:
samples() {
    is "$(stat_line pv -o NAME,ON_NODE --samples 2 --interval 0.05 |
        tr -s ' ')" "pv -" "a guest that did not run has no sample"
    most=$(rig-pages 0 | sort -n -k 3 | awk 'END { print $2 }')
    rig-xen domains > /dev/null
    least=$(rig-pages 0 | sort -n -k 3 | awk -v nodes=" $(cpu_nodes) " '
        { total += $3 }
        index(nodes, " " $2 " ") && !any { any = 1; node = $2; pages = $3 }
        END { print pages * 100 < total ? node : "" }')
    stock-xl vcpu-pin Domain-0 all "$(cpus_of "$most")" -
    is "$(stat_key Domain-0 on_node --pages --samples 4 --interval 0.1)" \
        1.000 "all samples of Domain-0 on the node of its memory count"
    if [ -n "$least" ]; then
        stock-xl vcpu-pin Domain-0 all "$(cpus_of "$least")" -
        is "$(stat_key Domain-0 on_node --pages --samples 4 --interval 0.1)" \
            0.000 "no sample counts on a node with hardly any of the memory"
    else
        skip "no test: Domain-0 has memory on all nodes"
    fi
    stock-xl vcpu-pin Domain-0 all all -
}

ended() {
    ! kill -0 "$1"
}

watching() {
    xl numa-stat --watch --count 2 --interval 0.01 pv > $out 2> $err
    is "$? $(grep -c '^pv ' $out)" "0 2" "--watch --count 2 prints two tables"
    ok "--watch prints no escapes into a pipe" \
        sh -c "! grep -q '$(printf '\033')' $out"
    : > $out
    xl numa-stat --watch --interval 1000 > $out 2> $err &
    await 20 test -s $out
    kill -INT $!
    wait $!
    is "$? $(cat $err)" "0 " "SIGINT ends --watch with status 0"
    : > $out
    xl numa-stat --watch --interval 0.1 "two words" pv > $out 2> $err &
    await 20 test -s $out
    stock-xl destroy "two words"
    await 20 ended $!
    wait $!
    is "$? $(cat $err)" "1 xl: no domain 'two words'" \
        "a domain that ends ends --watch, with one line"
}

clear=$(printf '\033[H\033[2J')

has_screens() { # NUMBER
    [ "$(grep -cF "$clear" "$out")" -ge "$1" ]
}

# What the terminal shows at the end.
last_screen() {
    tr -d '\r' < $out | awk -v clear="$clear" '
        {
            while ((at = index($0, clear))) {
                text = ""
                $0 = substr($0, at + length(clear))
            }
        }
        $0 != "^C" { text = text $0 "\n" }
        END { printf "%s", text }'
}

# On 12 lines of 80 columns, of which the last one is for the cursor.
watching_on_a_terminal() {
    rig-xen make 30 1 bare
    : > $out
    { await 60 has_screens 3; printf '\003'; } |
        TERM=vt100 rig-terminal 12 80 xl numa-stat --watch --interval 0.1 \
            --sort=-TOTAL > $out
    is $? 0 "Ctrl-C ends --watch on a terminal with status 0"
    last_screen > /tmp/screen
    sed 's/^/# /' /tmp/screen
    is "$(wc -l < /tmp/screen)" 11 "the last table fills the screen"
    is "$(awk 'length > 80' /tmp/screen)" "" \
        "the last table is not wider than the screen"
    missing=$(sed -n 's/ more do not fit on this screen$//p' /tmp/screen)
    is $((11 - 1 + missing)) "$(xl numa-stat --width=80 | wc -l)" \
        "the last line says how many domains do not fit"
    rig-xen unmake
    await 30 nothing_dies
}

refusals() {
    chmod 755 /root
    echo nobody:x:65534:65534::/:/bin/sh >> /etc/passwd
    busybox su nobody -c "PATH=$PATH xl numa-stat" > $out 2> $err
    is "$? $(cat $err)" "1 xl: cannot open '/dev/xen/privcmd': Permission \
denied: expected root in dom0, or a saved host: --host FILE" \
    "numa-stat without root prints one line"
    xl numa-stat > /dev/full 2> $err
    is "$? $(cat $err)" "1 xl: cannot write the output: No space left on \
device" "a full disk is reported with one line"
    xl numa-stat nobody > $out 2> $err
    is "$? $(cat $err)$(cat $out)" "1 xl: no domain 'nobody'" \
        "a domain that does not exist is reported with one line"
    rig-xen domains > /dev/null
    stock-xl dmesg -c > /dev/null
    xl numa-stat --pages -o NAME,NODE99 > $out 2> $err
    is "$? $(sed 's/:.*//' $err) $(stock-xl dmesg | grep -c "'u' pressed")" \
        "2 xl 0" "an unknown column is reported before pages are counted"
    xl numa-stat --samples 0 2> $err
    is "$? $(cat $err)" "2 xl: numa-stat: --samples takes a number from 1 to \
1000000, not '0': see 'xl numa-stat --help'" \
    "a malformed number is a usage error"
}

# All but five are bare: paused, empty, and not xl's.
make_many() { # NUMBER
    many=$1
    rig-xen make $((many - 5)) 1 g
    for i in $(seq $((many - 4)) "$many"); do
        create idle "g$i" "nodes=\"$second\"" memory=8 || sed 's/^/# /' $err
    done
    rig-xen domains | awk '$4 ~ /^g[0-9]/ { print $4, $2 }' > /tmp/domids
    is "$(wc -l < /tmp/domids)" "$many" "there are $many guests"
}

# "'u' pressed" as often as Xen was asked for a report.
many_in_numa_stat() {
    stock-xl dmesg -c > /dev/null
    xl numa-stat --pages > $out
    is "$(stock-xl dmesg | grep -c "'u' pressed")" 1 \
        "--pages for $many guests makes Xen count once"
    is "$(awk '/^g.* now/ { print $1, $2 }' $out)" "$(cat /tmp/domids)" \
        "--pages lists all guests"
    rig-pages | awk '
        /^g/ { pages[$1] += $3 }
        END { for (name in pages) print name, int(pages[name] / 256) }' |
        sort > /tmp/sizes
    is "$(awk '/^g/ { print $1, $7 }' $out | sort)" "$(cat /tmp/sizes)" \
        "--pages has the memory that Xen reports"
    stock-xl dmesg -c > /dev/null
    xl numa-stat > $out
    is "$(stock-xl dmesg | grep -c "'u' pressed")" 0 \
        "numa-stat without --pages makes Xen count nothing"
    is "$(awk '/^g/ { print $1, $2 }' $out)" "$(cat /tmp/domids)" \
        "numa-stat without --pages lists all guests"
    is "$(grep -c '^g.* at build' $out)" 5 "the memory of our guests is known"
}

many_in_vcpu_list() {
    is "$(xl vcpu-list -o +NODE | awk '/^g/ { print $1, $2 }')" \
        "$(cat /tmp/domids)" "vcpu-list -o +NODE lists $many guests"
    is "$(xl vcpu-list --json | json_lines | awk -F : '
        $1 == "name" { name = $2 }
        $1 == "id" && name ~ /^g[0-9]/ { print name, $2 }')" \
        "$(cat /tmp/domids)" "vcpu-list --json: the same"
}

many_in_numa_info() {
    xl numa-info -o NODE,DOMAINS,NAMES > $out 2> $err
    is "$(awk -v node="$second" '$1 == node { print $2, $3 }' $out)" \
        "$(awk -v from="$((many - 5))" '
            substr($1, 2) + 0 > from { names = names sep $1; sep = ","; nr++ }
            END { print nr, names }' /tmp/domids)" \
        "numa-info: those of ours among them"
    ok "a line says how many domains have no record" \
        grep -qx "xl: USED leaves out \
$((many - 5)) domains without a record of their memory" $err
}

guests
is "$(sums)" 5 "the totals of the five domains add up"
locality
samples
watching
watching_on_a_terminal
refusals
destroy_all
await 30 nothing_dies
make_many 300
many_in_numa_stat
many_in_vcpu_list
many_in_numa_info
done_testing
