#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# JSON: the schema in docs has what the commands print, and it is not large.

numa=$(cd "${top_builddir:-.}" && pwd)/xl/xl-numa
top=$(cd "${top_srcdir:-.}" && pwd)
. "${top_srcdir:-.}/tests/unit/tap.sh"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
cp "$top"/docs/examples/*.json "$top"/docs/examples/*.cfg \
    "$top"/docs/examples/*.csv .
awk -v nodes=32 -v cpus=16 -v domains=300 -v vcpus=8 \
    -f "$top/tests/unit/large-host.awk" > large.json

# ---- the schema ----

cat > check.py << 'END'
import json, sys
import jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator.check_schema(schema)
document = json.load(sys.stdin)
jsonschema.Draft7Validator(schema).validate(document)
END

fits_schema() { # COMMAND...
    "$numa" "$@" 2> err | python3 check.py "$top/docs/xl-numa.schema.json" \
        > out 2>&1 && return
    sed 's/^/# /' err
    tail -n 20 out | sed 's/^/# /'
    return 1
}

# Advice for a host on which some memory is far away.
fit_all() {
    while read -r command; do
        for json in --json --json=lists; do
            # shellcheck disable=SC2086 # words
            check "$command $json prints what the schema allows" \
                fits_schema $command $json
        done
    done << 'END'
numa-stat --host dom0.json
numa-stat --host large.json
numa-stat --host large.json -o NAME,NODE3,NODE17
numa-info --host dom0.json
numa-info --host host.json
vcpu-list --host dom0.json
info -n --host dom0.json
info -n --host large.json -o CPU,NODE
numa-move --advise --host dom0.json
numa-plan --host host.json web.cfg
numa-plan --host host.json web.cfg db.cfg vcpus=2 nodes_cpus="core"
numa-plan --host host.json web.cfg type="hvm" vnuma="auto" nodes="0,1"
numa-plan --host sockets.json web.cfg vcpus=3 nodes_cpus="thread"
numa-plan --host host.json web.cfg memory=999999
numa-plan --host host.json --host sockets.json web.cfg
numa-plan --host host.json --count web.cfg
numa-simulate --host sockets.json guests.csv
END
    # What it does not describe it refuses.
    echo '{"version":2,"domains":[{"size":1}]}' |
        python3 check.py "$top/docs/xl-numa.schema.json" > out 2>&1
    check "a key that is not in the schema is refused" [ $? != 0 ]
    # As test-guest-json has it.
    echo '{"version":2,"domain":{"name":"a","id":9,"node_affinity":"1-2",
           "nodes":[{"node":0,"bytes":1048576}],"elsewhere_bytes":1048576,
           "vcpus":[{"vcpu":0,"hard":"0-3,69","soft":""}]},
           "previous_id":7,"paused_s":null}' |
        python3 check.py "$top/docs/xl-numa.schema.json" > out 2>&1
    check "the schema describes a domain that was moved" [ $? = 0 ]
}

if python3 -c 'import jsonschema' 2> /dev/null; then
    fit_all
else
    echo "# no python3-jsonschema here: nothing checks the schema"
fi

# ---- its size ----

# 300 domains with 2400 vCPUs on 512 CPUs.
for command in numa-stat vcpu-list; do
    bytes=$("$numa" $command --host large.json --json | wc -c)
    check "$command: $bytes bytes are less than a megabyte" \
        [ "$bytes" -lt 1000000 ]
done
same "$("$numa" vcpu-list --host large.json --json | wc -l)" 1 \
    "a pipe gets one line"
if script -qec true /dev/null < /dev/null > /dev/null 2>&1; then
    script -qec "'$numa' numa-stat --host dom0.json --json" /dev/null \
        < /dev/null > out
    check "a terminal gets a line for each key" [ "$(wc -l < out)" -gt 50 ]
fi

finish
