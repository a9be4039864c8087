#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What libvirt is given, as far as that goes without Xen: that the hook refuses
# nothing; and what brings it into a system, and out again.

xl=$(cd "${top_builddir:-.}" && pwd)/xl
hook=$xl/xl-numa-libvirt-hook
. "${top_srcdir:-.}/tests/unit/tap.sh"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

# ---- the hook ----

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

cannot="xl-numa: cannot read the domain's XML"
check "a domain without a uuid is let through" \
    says 0 "$cannot: No such file or directory" "<vcpu cpuset='2-3'>1</vcpu>"
check "text that is not XML is refused" says 0 "$cannot: Invalid argument" "<"
check "the hook removes its file when the start has ended" says 0 "$cannot: Invalid argument" "<" stopped end -
for operation in start started reconnect migrate; do
    check "$operation is let through, and changes nothing" \
        says 0 "" "<" $operation begin -
done
"$hook" > out 2>&1
same "$?$(cat out)" "1xl-numa-libvirt-hook is run by libvirt" \
    "only root can run the hook"

# ---- on and off, for a system in a directory ----

# What there is, files with what is in them.
tree() {
    (cd root && find . \( -type l -printf '%p -> %l\n' \) -o \
        \( -type f -exec grep -H '' {} + \) | sort)
}

control() { # COMMAND
    "$xl/xl-numa-libvirt" --root "$tmp/root" "$1" > out 2>&1
}

module=$(sed -n "s/^module='\(.*\)'/\1/p" "$xl/xl-numa-libvirt")
program=$(sed -n "s/^program='\(.*\)'/\1/p" "$xl/xl-numa-libvirt")
mkdir -p root/etc/apparmor.d/local
echo profile > root/etc/apparmor.d/usr.sbin.libvirtd
printf '/srv/** r,\n/opt/x rix,' > root/etc/apparmor.d/local/usr.sbin.libvirtd
echo other > root/etc/apparmor.d/local/usr.sbin.other
control enable
same "$?$(cat out)" \
    "1xl-numa-libvirt: '$module' is missing: install the package again" \
    "enable fails if the hook is not installed"
for file in "$module" "$program"; do
    mkdir -p "root${file%/*}"
    echo file > "root$file"
done
tree > before
control status
same $? 1 "status says off before enable"
same "$(cat out)" "the hook: not enabled
the module in libvirtd: not enabled
the module in virtxend: not enabled" "as it says"
check "enable succeeds" control enable
tree | diff before - | sed -n 's/^> //p' > added
sort > expected << EOF
./etc/apparmor.d/local/usr.sbin.libvirtd:${program%/*}/* PUx, # xl-numa
./etc/libvirt/hooks/libxl.d/xl-numa -> $program
./etc/systemd/system/libvirtd.service.d/zz-xl-numa.conf:# xl-numa
./etc/systemd/system/libvirtd.service.d/zz-xl-numa.conf:Environment=LD_PRELOAD=$module
./etc/systemd/system/libvirtd.service.d/zz-xl-numa.conf:[Service]
./etc/systemd/system/virtxend.service.d/zz-xl-numa.conf:# xl-numa
./etc/systemd/system/virtxend.service.d/zz-xl-numa.conf:Environment=LD_PRELOAD=$module
./etc/systemd/system/virtxend.service.d/zz-xl-numa.conf:[Service]
EOF
check "enable adds the hook, drop-ins and a rule for AppArmor" \
    cmp expected added
check "after enable, status says that it is on" control status
tree > enabled
control enable
tree > out
check "a second enable changes nothing" cmp enabled out
check "a last line without a line end is kept" \
    grep -qx '/opt/x rix,' root/etc/apparmor.d/local/usr.sbin.libvirtd
check "disable succeeds" control disable
tree > out
check "disable removes all that enable added" cmp before out
check "a second enable is not an error" control disable

# ---- what else a daemon has loaded ----

units=root/usr/lib/systemd/system
drop_ins=root/etc/systemd/system/libvirtd.service.d
mkdir -p root/etc/default

# sets FILE SETTING...: writes such a drop-in
sets() {
    set_file=$1
    shift
    mkdir -p "${set_file%/*}"
    printf '%s\n' '[Service]' "$@" > "$set_file"
}

# preloads VALUE WHAT: what libvirtd gets by our drop-in
preloads() {
    control enable || cat out
    same "$(sed -n 's/^Environment=//p' $drop_ins/zz-xl-numa.conf)" "$1" "$2"
    control disable
}

sets $units/libvirtd.service ExecStart=/usr/sbin/libvirtd \
    'Environment=A=1 LD_PRELOAD=/lib/unit.so B=2' \
    '[Install]' Environment=LD_PRELOAD=/lib/of-no-service.so
preloads "\"LD_PRELOAD=$module:/lib/unit.so\"" \
    "what the unit has loaded is kept, behind the module"
# shellcheck disable=SC1003 # the line goes on
sets $drop_ins/tune.conf 'Environment="LD_PRELOAD=/lib/a.so /lib/b.so" \' ' C=3'
preloads "\"LD_PRELOAD=$module:/lib/a.so /lib/b.so\"" \
    "as is what a drop-in has, which replaces that"
sets root/run/systemd/system/libvirtd.service.d/early.conf \
    Environment=LD_PRELOAD=/lib/early.so
sets $units/libvirtd.service.d/tune.conf Environment=LD_PRELOAD=/lib/hidden.so
preloads "\"LD_PRELOAD=$module:/lib/a.so /lib/b.so\"" \
    "that is the last one by its name, and of one name that in /etc"
sets $drop_ins/zeal.conf Environment= "Environment='LD_PRELOAD=/lib/z.so'"
preloads "\"LD_PRELOAD=$module:/lib/z.so\"" "quotes of either kind are read"
sets $drop_ins/zeal.conf Environment=
preloads "LD_PRELOAD=$module" "an empty line forgets all before it"
rm $drop_ins/zeal.conf
control enable
sets $drop_ins/tune.conf Environment=LD_PRELOAD=/lib/new.so
cp $drop_ins/tune.conf tune
control status
same "$? $(grep -c '^LD_PRELOAD of libvirtd has changed since then' out)" "1 1" \
    "status reports that the variable was changed since"
control enable
check "after a second enable, status says that it is on" control status
control disable
check "the administrator's drop-in is unchanged" cmp $drop_ins/tune.conf tune
same "$(ls $drop_ins)" tune.conf \
    "disable leaves only the drop-in of the administrator"
sets $drop_ins/tune.conf EnvironmentFile=-/etc/default/libvirtd
echo 'LD_PRELOAD=/lib/default.so' > root/etc/default/libvirtd
control enable
same "$? $(sed "s|'[^']*/root/|'/|" out)" \
    "1 xl-numa-libvirt: '/etc/default/libvirtd' sets LD_PRELOAD, which would\
 hide the module in libvirtd: move it into a drop-in ('systemctl edit\
 libvirtd')" "an LD_PRELOAD in a file of variables is refused"

# refuses STATUS LINE WHAT ARG...
refuses() {
    wanted=$1 line=$2 what=$3
    shift 3
    "$xl/xl-numa-libvirt" "$@" > out 2> err
    same "$? $(cat err)" "$wanted xl-numa-libvirt: $line" "$what"
}

expected="expected 'enable', 'disable' or 'status'"
refuses 2 "'': $expected" "without a word it says what it can do"
refuses 2 "'on': $expected" "as with a wrong one" on
refuses 2 "one argument too many: 'now'" "and with one more" enable now

finish
