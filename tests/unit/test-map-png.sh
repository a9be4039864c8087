#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# xl numa-map: a picture as PNG, where librsvg draws it.

build=$(cd "${top_builddir:-.}" && pwd)
top=$(cd "${top_srcdir:-.}" && pwd)
. "${top_srcdir:-.}/tests/unit/tap.sh"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

"$build/xl/xl-numa" numa-map --host "$top/tests/hosts/rig-4node.json" \
    -o map.png > out 2> err
status=$?
if grep -q "DHAVE_RSVG=1" "$build/Makefile" &&
    ldconfig -p 2> /dev/null | grep -q 'librsvg-2\.so\.2'; then
    same "$status $(cat out err)" "0 " "numa-map prints nothing"
    same "$(head -c 8 map.png | od -An -tx1 | tr -d ' \n')" 89504e470d0a1a0a \
        "the file is a PNG"
    same "$(dd if=map.png bs=1 skip=16 count=4 2> /dev/null | od -An -tx1 |
        tr -d ' \n')" 00000786 "as wide as the picture, by one and a half"
else
    same "$status" 1 "a picture that cannot be written ends with status 1"
    check "an error advises to write SVG" grep -q \
        "^xl: cannot write 'map.png': .*librsvg.*: write .svg instead\$" err
fi
[ ! -e map.png ] || rm map.png
check "no other file is left" [ "$(ls)" = "err
out" ]

finish
