#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# xl create --plan, as far as it goes without Xen.

numa=$(cd "${top_builddir:-.}" && pwd)/xl/xl-numa
top=$(cd "${top_srcdir:-.}" && pwd)
. "${top_srcdir:-.}/tests/unit/tap.sh"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
cp "$top/tests/unit/four-nodes.json" host.json
printf 'name = "web"\ntype = "pvh"\nmemory = 500\nvcpus = 2\n' > web.cfg
printf 'name = "db"\nmemory = 1200\nvcpus = 4\n' > db.cfg

# refuses LINE PLAN: one line, and status 1.
refuses() { # LINE PLAN
    echo "$2" > plan.json
    "$numa" create --plan plan.json > out 2> err
    [ $? = 1 ] && [ "$(cat err)" = "$1" ] && return
    sed 's/^/# /' err
    return 1
}

"$numa" numa-plan --host host.json --json web.cfg db.cfg > plan.json
"$numa" create --plan plan.json > out 2> err
check "create --plan reads what numa-plan prints" \
    grep -q '^xl: cannot open .*dom0$' err
"$numa" create --plan - < plan.json > out 2> err
check "a plan is read from standard input, too" grep -q '^xl: cannot open .*dom0$' err
check "a plan that does not exist is an error" [ "$("$numa" create --plan none.json 2>&1)" = \
    "xl: none.json: No such file or directory" ]
check "a host file is refused as a plan" refuses \
    "xl: plan.json:1: words: expected a list, but it is missing" \
    "$(printf '{\n"version": 1,\n"plans": [] }')"
check "a plan of a later version is refused" refuses \
    "xl: plan.json:1: version: expected a number from 1 to 2, not 3" \
    '{ "version": 3 }'
check "a plan without nodes is refused" refuses \
    "xl: plan.json:2: plans[0].nodes: expected nodes, not an empty list" \
    '{ "version": 1, "words": [], "plans": [ { "name": "a", "config": "a.cfg",
"verdict": "fits", "nodes": [], "relaxed": [] } ] }'
check "a plan with a wrong list of nodes is refused" refuses \
    "xl: plan.json:2: plans[0].nodes[0]: expected a number up to 1023, not -1" \
    '{ "version": 1, "words": [], "plans": [ { "name": "a", "config": "a.cfg",
"verdict": "fits", "nodes": [-1], "relaxed": [] } ] }'
for nodes in '"1-"' '"x"' '1' '"1024"'; do
    check "a plan with wrong nodes is refused: $nodes" sh -c "echo '{ \"version\": 2,
        \"words\": [], \"plans\": [ { \"name\": \"a\", \"config\": \"a.cfg\",
        \"verdict\": \"fits\", \"nodes\": $nodes, \"relaxed\": [] } ] }' |
        '$numa' create --plan - 2>&1 |
        grep -q 'input:3: plans.0..nodes: expected a list'"
done
"$numa" numa-plan --host host.json --json=lists web.cfg db.cfg |
    sed 's/"version":2/"version":1/' > plan.json
"$numa" create --plan plan.json > out 2> err
check "create --plan reads a plan of version 1" \
    grep -q '^xl: cannot open .*dom0$' err
"$numa" create > out 2> err
check "create without --plan ends with status 2" [ $? = 2 ]

finish
