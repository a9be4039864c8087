#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# libvirt's hook, as far as it goes without Xen: what it refuses, and how.

hook=$(cd "${top_builddir:-.}" && pwd)/xl/xl-numa-libvirt-hook
. "${top_srcdir:-.}/tests/unit/tap.sh"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

domain() { # ELEMENTS
    cat << EOF
<domain type='xen'>
  <name>web</name>
  <memory unit='MiB'>500</memory>
  $1
</domain>
EOF
}

# says STATUS LINE ELEMENTS [OPERATION...]: ends so, with this line, or none.
says() {
    status=$1 line=$2
    domain "$3" > in
    shift 3
    [ $# != 0 ] || set -- prepare begin -
    "$hook" web "$@" < in > out 2> err
    got=$?
    [ "$got" = "$status" ] && [ "$(cat err)" = "$line" ] && [ ! -s out ] &&
        return
    echo "# status $got, expected $status and '$line'"
    sed 's/^/# /' out err
    return 1
}

keys="<metadata><n:p xmlns:n='urn:libxl-numa:keys'"
mem="<numatune><memory mode='strict' nodeset"

check "a domain is let through" says 0 "" "<vcpu cpuset='2-3'>1</vcpu>"
check "a wrong value is refused, in a line of ours" says 1 \
    'xl-numa: web: nodes_policy="bset": expected "first", "best", "worst" or "balanced"' \
    "$keys nodes_policy='bset'/></metadata>"
check "a wrong word of libvirt too" says 1 \
    'xl-numa: web: nodes="x": expected "auto", "all" or a list of nodes such as "0-3,^2" or [0, 2]' \
    "$mem='x'/></numatune>"
check "what can't be had together too" says 1 \
    'xl-numa: web: nodes_mode="strict": strict needs memory = maxmem, here memory=200 and maxmem=500: what is populated on demand follows no plan' \
    "<currentMemory unit='MiB'>200</currentMemory>
    <os><type>xenpvh</type></os> $mem='1'/></numatune>"
check "what is no XML too" says 1 \
    "xl-numa: web: line 4: not XML: not well-formed (invalid token)" "<"
check "when it is over nothing is refused" says 0 "" "<" stopped end -
check "nor then" says 0 "" "<" release end -
for operation in start started reconnect migrate; do
    check "$operation is let through, and changes nothing" \
        says 0 "" "<" $operation begin -
done
"$hook" > out 2>&1
same "$?$(cat out)" "1xl-numa-libvirt-hook is run by libvirt" \
    "nobody else is to run it"

finish
