#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The examples of the manual and of README.md that need no Xen print what the
# page shows. Such an example is a line
#
#     $ xl ... --host ...
#
# in a block that is indented by four, with its output, if it shows any, below
# it. A line that ends with a backslash continues. The files that it names are in
# docs/examples. One that shows no output has to end well.

top=$(cd "${top_srcdir:-.}" && pwd)
numa=$(cd "${top_builddir:-.}" && pwd)/xl/xl-numa
. "${top_srcdir:-.}/tests/unit/tap.sh"

# N.command and N.output in this directory, for each example.
take_examples() { # PAGE
    awk '
        /^    \$ / {
            empty = ""
            here = /^    \$ xl .*--host/
            if (here) {
                name = sprintf("%03d", ++nr)
                print substr($0, 7) > (name ".command")
                printf "" > (name ".output")
            }
            goes_on = here && /\\$/
            next
        }
        goes_on {
            print substr($0, 5) > (name ".command")
            goes_on = /\\$/
            next
        }
        # An empty line is one of the output if more of it follows.
        /^$/ { empty = empty "\n"; next }
        !/^    / { here = 0 }
        here { printf "%s%s\n", empty, substr($0, 5) > (name ".output") }
        { empty = "" }' "$1"
}

# xl needs to be installed; what it runs need not.
run_example() { # COMMAND
    (
        cd "$tmp/examples" || exit
        PATH=$tmp/bin:$PATH sh "$1"
    ) > "$tmp/got" 2>&1
}

is_as_shown() { # NAME
    run_example "$PWD/$1.command"
    ended=$?
    if [ -s "$1.output" ]; then
        diff "$1.output" "$tmp/got" > "$tmp/diff" && return
        sed 's/^/# /' "$tmp/diff"
        return 1
    fi
    [ $ended = 0 ] && return
    sed 's/^/# /' "$tmp/got"
    return 1
}

test_page() { # PAGE
    page=${1#"$top/"}
    rm -rf "$tmp/page"
    mkdir "$tmp/page"
    cd "$tmp/page" || exit
    take_examples "$1"
    for command in *.command; do
        [ -e "$command" ] || continue
        is_as_shown "${command%.command}"
        result $? "$page: $(tr -s '\\\n ' ' ' < "$command")"
    done
}

# A snapshot that is read and written again is the same.
test_snapshot_page() {
    cd "$tmp" || exit
    sed -n '/^=head1 EXAMPLE/,/^=head1 SEE/s/^    //p' \
        "$top/docs/xl-numa-snapshot.5.pod" > shown.json
    "$numa" numa-snapshot --host shown.json again.json
    diff shown.json again.json | sed 's/^/# /'
    cmp -s shown.json again.json
    result $? "the example in docs/xl-numa-snapshot.5.pod can be read"
}

# Hosts are files; on each of them, xl knows its own.
test_create_on_best() {
    cd "$tmp/examples" || exit
    cat > "$tmp/bin/to-host" << 'EOT'
#!/bin/sh
HOST=$1
export HOST
shift
exec "$@"
EOT
    cat > "$tmp/bin/on-host/xl" << 'EOT'
#!/bin/sh
case $1 in
numa-snapshot) cat "$EXAMPLES/$HOST.json" ;;
create)        cat > "$EXAMPLES/$HOST.created" ;;
*)             exec "$NUMA" "$@" ;;
esac
EOT
    chmod +x "$tmp/bin/to-host" "$tmp/bin/on-host/xl"
    said=$(EXAMPLES=$PWD NUMA=$numa SSH=to-host PATH=$tmp/bin/on-host:$tmp/bin:$PATH \
        ./create-on-best web.cfg sockets host)
    [ "$said" = host ]
    result $? "create-on-best names the host with the best fit"
    [ "$(echo ./*.created)" = ./host.created ] &&
        [ "$(jq -r '.plans[0].name' host.created)" = web ]
    result $? "create-on-best passes the plan to xl create on that host"
}

# A map in blocks and not in ASCII.
LC_ALL=C.UTF-8
export LC_ALL
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
if ! "$numa" numa-snapshot --host 'node:2 pu:1' > /dev/null 2>&1; then
    echo "1..0 # SKIP built without hwloc"
    exit
fi
if ! command -v jq > /dev/null; then
    echo "1..0 # SKIP no jq here"
    exit
fi
mkdir -p "$tmp/bin/on-host"
printf '#!/bin/sh\nexec "%s" "$@"\n' "$numa" > "$tmp/bin/xl"
chmod +x "$tmp/bin/xl"
cp -r "$top/docs/examples" "$tmp/examples"
chmod -R u+w "$tmp/examples"
for file in "$top"/docs/*.pod "$top/README.md"; do
    test_page "$file"
done
test_snapshot_page
test_create_on_best
[ $run -gt 8 ]
result $? "the pages have examples to check"

finish
