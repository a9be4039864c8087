#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# xl numa-simulate: a small trace with a known outcome, traces that are wrong,
# and what is drawn.

numa=$(readlink -f "${top_builddir:-.}/xl/xl-numa")
source=$(cd "${top_srcdir:-.}" && pwd)
run=0
failed=0

# check NAME COMMAND [ARG...]
check() {
    name=$1
    shift
    run=$((run + 1))
    if "$@"; then
        echo "ok $run - $name"
    else
        failed=$((failed + 1))
        echo "not ok $run - $name"
    fi
}

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

# Two sockets of two nodes, each with 1000 MiB and two CPUs.
cat > host.json << 'EOF'
{
  "version": 1,
  "xen": null,
  "cpus": [
    {"cpu": 0, "node": 0, "socket": 0, "core": 0, "online": true},
    {"cpu": 1, "node": 0, "socket": 0, "core": 1, "online": true},
    {"cpu": 2, "node": 1, "socket": 0, "core": 2, "online": true},
    {"cpu": 3, "node": 1, "socket": 0, "core": 3, "online": true},
    {"cpu": 4, "node": 2, "socket": 1, "core": 0, "online": true},
    {"cpu": 5, "node": 2, "socket": 1, "core": 1, "online": true},
    {"cpu": 6, "node": 3, "socket": 1, "core": 2, "online": true},
    {"cpu": 7, "node": 3, "socket": 1, "core": 3, "online": true}
  ],
  "nodes": [
    {"node": 0, "total_bytes": 1048576000, "free_bytes": 1048576000,
     "dma_bytes": 0, "reserved_bytes": 0},
    {"node": 1, "total_bytes": 1048576000, "free_bytes": 1048576000,
     "dma_bytes": 0, "reserved_bytes": 0},
    {"node": 2, "total_bytes": 1048576000, "free_bytes": 1048576000,
     "dma_bytes": 0, "reserved_bytes": 0},
    {"node": 3, "total_bytes": 1048576000, "free_bytes": 1048576000,
     "dma_bytes": 0, "reserved_bytes": 0}
  ],
  "distances": [
    [10, 12, 32, 32], [12, 10, 32, 32], [32, 32, 10, 12], [32, 32, 12, 10]
  ],
  "pools": [{"pool": 0, "cpus": "0-7"}],
  "pci_devices": null,
  "domains": null
}
EOF

# simulated STATUS FILE ARG...: ends so, and stdout and stderr are the file.
simulated() {
    status=$1 expected=$2
    shift 2
    "$numa" numa-simulate --host host.json "$@" > out 2> err
    got=$?
    cat err >> out
    if [ "$got" = "$status" ] && cmp -s out "$expected"; then
        return 0
    fi
    echo "# status $got, expected $status"
    diff "$expected" out | sed 's/^/# /'
    return 1
}

# --- a known outcome ---

# Four small guests, of which best fit puts all on node 0; b leaves before e,
# which needs two nodes; f does not fit, g does when all but d have left. Where
# a, c and d are on a node each stock takes e across the sockets.
cat > small.csv << 'EOF'
# comments and empty lines are skipped

TIME, name, vcpus, mib, lifetime
0,a,2,200,100
1,b,1,200,8
2,c,1,200,98.5
3,d,2,200,
10,e,2,1200,90.000000001
20,f,1,3000,5
110,g,4,1600,10
120,h,1,100,0.5
EOF
columns=POLICY,GUESTS,SPLIT,SPLIT_GUESTS,MEMORY,DISTANCE,CROSS,AVOIDABLE
cat > expected << 'EOF'
POLICY   GUESTS SPLIT SPLIT_GUESTS MEMORY DISTANCE CROSS AVOIDABLE
first         8 25.00            2  75.68    10.76     0         0
best          8 25.00            2  75.68    10.76     0         0
worst         8 25.00            2  75.68    10.76     0         0
balanced      8 25.00            2  75.68    10.76     0         0
stock         8 25.00            2  75.68    14.00     1         1
EOF
check "the table has the guests on several nodes, and the distance" \
    simulated 0 expected -o "$columns" small.csv

{ printf '\357\273\277'; cat small.csv; } > marked.csv
check "a trace of a spreadsheet with a byte-order mark is read" \
    simulated 0 expected -o "$columns" marked.csv

figures=POLICY,BALANCE,WAITING,REFUSED,FIRST_TIME,FIRST_NAME
"$numa" numa-simulate --host host.json -o "$figures" small.csv > out
balance() { # POLICY
    awk -v policy="$1" '$1 == policy { print $2 }' out
}
less() { # A B
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a < b) }'
}
check "best fit collects vCPUs on a node, and balanced does not" \
    less "$(balance balanced)" "$(balance best)"
check "the first guest that was refused is named" \
    [ "$(awk '{ print $4, $5, $6 }' out | sort -u | tr '\n' ' ')" = \
    "1 20.000 f REFUSED FIRST_TIME FIRST_NAME " ]

# One node of four has all vCPUs, 4 times the mean; as long, two have as many.
printf '0,a,2,600,\n10,b,2,600,\n20,c,2,600,\n' > even.csv
check "BALANCE is the mean over time" \
    [ "$("$numa" numa-simulate --host host.json --policy first -o BALANCE \
        even.csv | tail -n 1 | tr -d ' ')" = 3.000 ]

check "the named policies are shown in the given order" \
    [ "$("$numa" numa-simulate --host host.json --policy stock,best,packed \
        -o POLICY small.csv | tr '\n' ' ')" = "POLICY stock best best " ]
check "a trace can be read from standard input" \
    [ "$("$numa" numa-simulate --host host.json - \
    -o GUESTS --policy best < small.csv | tail -n 1)" -eq 8 ]
check "a second run prints the same" \
    [ "$("$numa" numa-simulate --host host.json \
    -o "$columns" small.csv | cksum)" = "$("$numa" numa-simulate \
    --host host.json -o "$columns" small.csv | cksum)" ]
printf '' > empty.csv
check "a trace without guests is accepted" \
    [ "$("$numa" numa-simulate --host host.json \
    -o POLICY,GUESTS,BALANCE,REFUSED --policy best empty.csv | tail -n 1 |
    tr -s ' ')" = "best 0 - 0" ]

"$numa" numa-simulate --host host.json --json small.csv > out
check "the keys of JSON are in lower case and end with their units" \
    grep -q '"memory_percent":75.[0-9]*,"split_size_bytes":2936012800,' out

# --- pictures ---

"$numa" numa-simulate --host host.json --plot plot.svg small.csv > out
check "--plot draws a line for each policy in each panel" \
    [ "$(grep -c '<polyline' plot.svg)" = 15 ]
dashes=$(sed -n 's/^\(<style>\)*\.l[0-9].*stroke-dasharray:\([^}]*\)}.*/\2/p' plot.svg)
check "--plot draws policies with different dashes" \
    [ "$(echo "$dashes" | head -n 5 | sort -u | wc -l)" = 5 ]
check "--plot has the trace and the host in the title" \
    grep -q '>small.csv on host.json</text>' plot.svg
check "--plot has the mean of each policy in each panel" \
    [ "$(grep -A 15 '>mean</text>' plot.svg |
         grep -c '<text class="y"[^>]*>[0-9]*\.[0-9]*</text>')" = 15 ]
# 1, 2 or 5 times a power of ten, from one tick to the next.
round_ticks() {
    awk -F '[<>]' '
        /class="y" x="54/ { value = $3
            if (seen && value > last) {
                step = value - last
                while (step < 0.999) step *= 10
                while (step > 9.99) step /= 10
                step = int(step * 100 + 0.5)
                bad += step != 100 && step != 200 && step != 500
                nr++
            }
            last = value; seen = 1
        }
        END { exit bad || nr < 6 }' plot.svg
}
check "--plot has round ticks" round_ticks
check "--plot can write to standard output" \
    [ "$("$numa" numa-simulate --host host.json --plot - small.csv |
         grep -c '^</svg>$')" = 1 ]
cp small.csv 'a<b>&"c".csv'
"$numa" numa-simulate --host host.json --plot odd.svg 'a<b>&"c".csv' > out
check "--plot keeps markup in a name as text" xmllint --noout odd.svg
check "--plot writes a complete file" [ "$(tail -n 1 plot.svg)" = '</svg>' ]
echo "xl: cannot write '/nosuch/plot.svg': No such file or directory" > expected
check "--plot ends with status 1 if the file cannot be written" \
    simulated 1 expected --plot /nosuch/plot.svg small.csv

# --- wrong traces ---

wrong() { # LINE COLUMN-AND-VALUE EXPECTED
    printf '0,first,1,100,\n%s\n' "$1" > bad.csv
    echo "xl: bad.csv: line 2: $2expected $3" > expected
    check "the trace is refused: $1" simulated 1 expected bad.csv
}

seconds="seconds, 0 to 1000000000 with up to nine digits behind a point"
wrong 'x,a,1,1,1' 'time: "x": ' "$seconds"
wrong ',a,1,1,1' 'time: "": ' "$seconds"
wrong '-1,a,1,1,1' 'time: "-1": ' "$seconds"
wrong '1.,a,1,1,1' 'time: "1.": ' "$seconds"
wrong '1.1234567890,a,1,1,1' 'time: "1.1234567890": ' "$seconds"
wrong '1000000000.1,a,1,1,1' 'time: "1000000000.1": ' "$seconds"
wrong '99999999999999999999999,a,1,1,1' \
    'time: "99999999999999999999999": ' "$seconds"
wrong '1,a,0,1,1' 'vcpus: "0": ' 'a whole number, 1 to 65536'
wrong '1,a,65537,1,1' 'vcpus: "65537": ' 'a whole number, 1 to 65536'
wrong '1,a,1.5,1,1' 'vcpus: "1.5": ' 'a whole number, 1 to 65536'
wrong '1,a,1,0,1' 'mib: "0": ' 'a whole number of MiB, 1 to 4294967296'
wrong '1,a,1,4294967297,1' 'mib: "4294967297": ' \
    'a whole number of MiB, 1 to 4294967296'
wrong '1,a,1,1,never' 'lifetime: "never": ' "$seconds, or nothing"
wrong '1,,1,1,1' 'name: "": ' '1 to 255 characters'
wrong '1,a,1,1' '4 columns: ' '5, time,name,vcpus,mib,lifetime'
wrong '1,a,1,1,1,1' '6 columns: ' '5, time,name,vcpus,mib,lifetime'
printf '2,a,1,1,\n1,b,1,1,\n' > bad.csv
echo 'xl: bad.csv: line 2: time: "1": expected no less than the time of the' \
    'guest before' > expected
check "a trace with decreasing times is refused" simulated 1 expected bad.csv
printf '0,a\0b,1,1,\n' > bad.csv
echo 'xl: bad.csv: line 1: expected text, not a zero byte' > expected
check "a trace with a zero byte is refused" simulated 1 expected bad.csv
awk 'BEGIN { printf "0,"; while (n++ < 1100) printf "a"; print ",1,1," }' \
    > bad.csv
echo 'xl: bad.csv: line 1: expected at most 1023 characters' > expected
check "a line without an end is refused" simulated 1 expected bad.csv
echo "xl: cannot read 'nosuch.csv': No such file or directory" > expected
check "a trace that does not exist is an error" simulated 1 expected nosuch.csv
echo "xl: numa-simulate: --policy: 'bset': expected some of first, best," \
    "worst, balanced, stock: see 'xl numa-simulate --help'" > expected
check "an unknown policy is an error" simulated 2 expected --policy best,bset \
    small.csv

# Every byte of a trace set to each of some others: refused or simulated, and
# a refusal names the file and the line.
mutants() {
    for byte in '\0' '\n' '\r' ',' 9 - . x '\377'; do
        awk -v nr="$(wc -c < small.csv)" 'BEGIN {
            for (i = 0; i < nr; i += 7)
                print i
        }' | while read -r at; do
            { head -c "$at" small.csv; printf '%b' "$byte"
              tail -c +"$((at + 2))" small.csv; } > mutant.csv
            "$numa" numa-simulate --host host.json --policy best mutant.csv \
                > out 2> err
            case $? in
            0) continue ;;
            1) grep -q '^xl: mutant.csv: line [0-9]*: .*expected ' err &&
                continue ;;
            esac
            echo "# byte $at set to $byte:"
            sed 's/^/# /' err
            return 1
        done || return 1
    done
}
check "a trace with a changed byte is refused with its line, or read" \
    mutants

# --- generated ones ---

trace=$source/tools/bench/trace
check "a generated trace is the same each time" \
    [ "$("$trace" --seed 3 --guests 50 | cksum)" = \
    "$("$trace" --seed 3 --guests 50 | cksum)" ]
check "a generated trace differs with another seed" \
    [ "$("$trace" --seed 3 --guests 50 | cksum)" != \
    "$("$trace" --seed 4 --guests 50 | cksum)" ]
check "a mix may say how long its guests stay" \
    [ "$("$trace" --mix '1,1:1:90:90' --guests 9 | cut -d , -f 5 | sort -u |
        paste -s -d ' ')" = "90.000 lifetime" ]
nr=$("$trace" --mix '1,1:1:100:900' --guests 1000 |
    awk -F , 'NR > 1 && $5 < 100' | wc -l)
check "half of the guests stay less than the median" test "$nr" -eq 483
nr=$("$trace" --mix '1,1:1:100:900' --guests 1000 |
    awk -F , 'NR > 1 && $5 > 900' | wc -l)
check "one guest of a hundred stays longer than the 99th percentile" \
    test "$nr" -eq 12
for mix in wide small memory public '1,1:1 2,4:2' '1,1:1:60:60'; do
    "$trace" --mix "$mix" --guests 20 --gib 4 > trace.csv
    check "a trace of the mix $mix is read" \
        [ "$("$numa" numa-simulate --host host.json --policy best -o GUESTS \
            trace.csv | tail -n 1)" -eq 20 ]
done

echo "1..$run"
[ $failed -eq 0 ]
