#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The commands that take --host, on a saved host with domains.

numa=$(cd "${top_builddir:-.}" && pwd)/xl/xl-numa
hosts=$(cd "${top_srcdir:-.}" && pwd)/tests/hosts
. "${top_srcdir:-.}/tests/unit/tap.sh"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
cp "$hosts/rig-4node.json" host.json

# says STATUS COMMAND ARG...: ends so, and prints what is in `expected`.
says() {
    status=$1 command=$2
    shift 2
    "$numa" "$command" --host host.json "$@" > raw 2>&1
    got=$?
    sed 's/ *$//' raw > out
    [ $got = "$status" ] && cmp -s expected out && return
    echo "# status $got, expected $status"
    diff expected out | sed 's/^/# /'
    return 1
}

# --- numa-info ---

cat > expected << 'END'
NODE CPUS TOTAL FREE USABLE USED RESERVED DISTANCES   PCI DOMAINS
   0 0-1   1024  934    743    -        0 10,21,31,31   -       1
   1 2-3   1024  923    923    -        0 21,10,31,31   -       2
   2 4-5   1024  988    988    -        0 31,31,10,21   -       1
   3 6-7   1024  306    306    -        0 31,31,21,10   -       0
END
check "numa-info shows the nodes of a saved host, and - for what is not saved" \
    says 0 numa-info
cat > expected << 'END'
NODE NAMES
   1 one,two words
END
check "numa-info shows one node and its domains" \
    says 0 numa-info -o NODE,NAMES 1
echo "xl: no node 4: this host has 0-3" > expected
check "numa-info refuses a node that does not exist" says 1 numa-info 4
printf '2: 1012728 KiB\n\n' > expected
check "numa-info --free shows one node" says 0 numa-info --free 2
echo "xl: numa-info: --nodeinfo needs the running host: see 'xl numa-info\
 --help'" > expected
check "numa-info --nodeinfo needs a running host" \
    says 2 numa-info --nodeinfo

# What libvirt's form has of the host.
essence() { # JSON
    sed '/"xen"/d; /"host_name"/d; /"time_s"/d; s/ "free_bytes".*//; /"pools"/,$d' "$1"
}

xml_is_the_host() {
    "$numa" numa-info --host host.json --xml > host.xml &&
        "$numa" numa-snapshot --host host.xml again.json 2> out || return
    essence host.json > before
    essence again.json > after
    diff before after > out && return
    sed 's/^/# /' out
    return 1
}

check "numa-info --xml is read as the same host" xml_is_the_host

# --- numa-stat ---

cat > expected << 'END'
Memory in MiB, as saved on 'dom0', 2026-11-29 16:04:05 UTC
NAME      ID NODE0 NODE1 NODE2 NODE3 TOTAL LOCAL NOW_LOCAL DISTANCE APART NOW_NODES SOURCE
Domain-0   0     ?     ?     ?     ?   768     -         -        -       0         ?
one        1     0    64     0     0    64  100%      100%     10.0       1         at build
two words  2    16    16     0     0    32  100%       50%     15.5       1         at build
plain      3     0     0    32     0    32  100%      100%     10.0       2         at build
Total           16    80    32     0   128
?: not in the file; not in the total
END
check "numa-stat shows where domains have their memory" says 0 numa-stat
cat > expected << 'END'
Memory in MiB, as saved on 'dom0', 2026-11-29 16:04:05 UTC
NAME      TOTAL  AGE
two words    32 30 s
plain        32    -
Total        64
END
check \
    "numa-stat finds domains by number and name, and shows the age when saved" \
    says 0 numa-stat -o NAME,TOTAL,AGE 2 plain
sed 's/"source": "build"/"source": "count"/
     s/"nodes": \[ { "node": 1/"nodes": [ { "node": 3/
     /"host_name"/d; s/"time_s": 1795968245/"time_s": null/' \
    host.json > counted.json
cat > expected << 'END'
Memory in MiB, as saved
NAME  NODE1 NODE3 LOCAL DISTANCE APART SOURCE
one       0    64    0%     31.0 *     counted
Total     0    64
*: less than half of its memory is on the nodes of its vCPUs
END
check "numa-stat shows memory away from the vCPUs, as counted" \
    says 0 numa-stat \
    --host counted.json -o NAME,NODE1,NODE3,LOCAL,DISTANCE,APART,SOURCE one
sed '/"host_name"/d; /"time_s"/d; /"memory"/d; s/"version": 2/"version": 1/' \
    host.json > first.json
cat > expected << 'END'
Memory in MiB, as saved
NAME  TOTAL SOURCE
one      64 ?
Total     0
?: not in the file; not in the total
END
check "numa-stat shows no memory for a file of version 1" says 0 numa-stat \
    --host first.json -o NAME,TOTAL,SOURCE one
echo "xl: no domain 'none'" > expected
check "numa-stat refuses a domain that does not exist" says 1 numa-stat none
for option in --pages --samples=2 --watch; do
    echo "xl: numa-stat: --pages, --samples and --watch need the\
 running host: see 'xl numa-stat --help'" > expected
    check "numa-stat $option needs a running host" says 2 numa-stat $option
done

# --- vcpu-list ---

cat > expected << 'END'
NAME      ID VCPU CPU STATE   TIME HARD SOFT
Domain-0   0    0   0 running 16.2 all  all
Domain-0   0    1   1 blocked 11.4 all  all
one        1    0   2 blocked  0.0 all  2-3
two words  2    0   2 blocked  0.0 all  0-3
two words  2    1   3 blocked  0.0 all  0-3
plain      3    0   4 blocked  0.0 all  4-5
END
check "vcpu-list shows all vCPUs" says 0 vcpu-list
cat > expected << 'END'
NAME      VCPU NODE ON_PLAN POOL
plain        0    2 -       0
two words    0    1 -       0
two words    1    1 -       0
END
check \
    "vcpu-list finds domains by name and number, and shows - for what is not saved" \
    says 0 vcpu-list -o NAME,VCPU,NODE,ON_PLAN,POOL plain 2
cat > expected << 'END'
NAME VCPU
one     0
xl: no domain 'none'
END
mixed() {
    "$numa" vcpu-list --host host.json -o NAME,VCPU none one > out 2> err
    got=$?
    cat err >> out
    [ $got = 1 ] && cmp -s expected out
}
check "vcpu-list refuses a domain that does not exist" mixed
echo 0-7 > expected
check "vcpu-list --cpuset prints the CPUs of a domain" \
    says 0 vcpu-list --cpuset "two words"
echo "xl: no domain '9'" > expected
check "vcpu-list --cpuset refuses a domain that does not exist" \
    says 1 vcpu-list --cpuset 9
sed '/^    "domains": \[/,$d' host.json > bare.json
echo '    "domains": null }' >> bare.json
echo "xl: bare.json: it has no list of domains" > expected
check "vcpu-list says that the domains are not known" \
    says 1 vcpu-list --host bare.json
check "numa-stat says that the domains are not known" \
    says 1 numa-stat --host bare.json

# --- info ---

cat > expected << 'END'
CPU SOCKET NODE ONLINE POOL
  0      0    0 yes    0
  1      0    0 yes    0
  2      0    1 yes    0
  3      0    1 yes    0
  4      0    2 yes    0
  5      0    2 yes    0
  6      0    3 yes    0
  7      0    3 yes    0
END
check "info -n shows the CPUs" says 0 info -n -o CPU,SOCKET,NODE,ONLINE,POOL
devices_are() { # DEVICES, without blanks; KEY of the file
    sed "s/\"pci_devices\": null/\"pci_devices\": $2/" host.json > pci.json
    "$numa" info -n --host pci.json --json | tr -d ' \n' > out
    grep -qF -e "$1}" out && return
    sed 's/^/# /' out
    return 1
}
check "info -n --json has null for devices that are not known" \
    devices_are '"devices":null' null
check "info -n --json has an empty list without devices" \
    devices_are '"devices":[]' '[]'
check "info -n --json lists devices by address" devices_are \
    '"devices":[{"address":"0000:00:1f.3","node":null},'\
'{"address":"0001:a0:02.7","node":3}]' \
    '[{"device":"0001:a0:02.7","node":3},{"device":"0000:00:1f.3","node":null}]'
echo "xl: info: -o, --json and --host need -n: see 'xl info --help'" > expected
check "info --host needs -n" says 2 info

finish
