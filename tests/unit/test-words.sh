#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Pages, messages and comments are in plain English: they have none of the words in
# words.rules, and pages and headers no sentence of more than 30 words. There are no
# exceptions. CONTRIBUTING.md has the terms to use.

top=${top_srcdir:-.}
. "${top_srcdir:-.}/tests/unit/tap.sh"

words() { # FILE...
    perl "$top/tests/unit/words.pl" "$top/tests/unit/words.rules" "$@"
}

plain() { # FILE...
    words "$@" > "$tmp/found"
    ended=$?
    sed "s|^$top/||; s/^/# /" "$tmp/found"
    return $ended
}

# finds LINE NAME: standard input, a page of this name, has it in that line alone.
finds() {
    cat > "$tmp/$2"
    words "$tmp/$2" > "$tmp/found"
    [ "$(cut -d : -f 2 "$tmp/found" | sort -u)" = "$1" ] && return
    sed 's/^/# /' "$tmp/found"
    return 1
}

has_none() { # NAME, of a page on standard input
    cat > "$tmp/$1"
    plain "$tmp/$1"
}

# Each of these was in a page.
old_sentences() {
    cat << 'EOF'
Who would rather have the load even than domains whole takes the other one.
If CPUs had to be given up nobody is asked for them.
What one of them has not, the others give.
A key that is no key is not an error to xl.
What only shows when the host was looked at ends the create too.
The default, but for what others are promised at that moment, too.
What the ones before were promised is not there for the next.
What does not fit is said.
A node that the host has not got is left out.
It can't be had from node 2.
The CPUs that there are.
The others are as ever.
A new version changes keys. New keys have not.
Where its request lets it go, a copy does not fit.
The memory is on the nodes that the vCPUs keep to.
--pages is of the running host alone.
xl-numa-stat(1) tells what that costs.
It holds for good.
The guest sees them apart.
Two nodes are not planned with.
A table replaces the one before.
EOF
}

# Each is a paragraph of its own.
each_is_found() {
    old_sentences | sed G > "$tmp/old.md"
    words "$tmp/old.md" | cut -d : -f 2 | sort -un > "$tmp/found"
    grep -n . "$tmp/old.md" | cut -d : -f 1 | diff - "$tmp/found" |
        sed 's/^/# /' > "$tmp/missed"
    cat "$tmp/missed"
    [ ! -s "$tmp/missed" ]
}

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

check "man pages are in plain English" plain "$top"/docs/*.pod
check "README and the like are in plain English" plain "$top/README.md" \
    "$top/NEWS" "$top/CONTRIBUTING.md" "$top/SECURITY.md" "$top"/docs/*.md \
    "$top/tools/rig/README.md" "$top/tools/defects/README.md"
# shellcheck disable=SC2046 # words
check "the explanations of defects are in plain English" plain \
    $(find "$top/tools/defects" -type f ! -name '*.*')
check "the help of tools is in plain English" plain "$top/tools/analyze" \
    "$top/tools/build" "$top/tools/check" "$top/tools/coverage" \
    "$top/tools/demo" "$top/tools/deps" "$top/tools/bench/create" \
    "$top/tools/bench/plan" "$top/tools/bench/simulate" \
    "$top/tools/bench/storm" "$top/tools/bench/trace" \
    "$top/tests/fuzz/run" "$top/tests/packages/clean" \
    "$top/tests/packages/run" "$top/tests/packages/upgrade" \
    "$top/tests/rig/run" "$top/xl/libvirt/xl-numa-libvirt.in"

check "messages and comments of the programs are in plain English" plain \
    "$top"/libxl-numa/*.c "$top"/libxl-numa/text/*.c "$top"/xl/*.c \
    "$top"/xl/*/*.c

check "the comments of the headers are in plain English" plain \
    "$top"/libxl-numa/*.h "$top"/libxl-numa/libxl_numa/*.h \
    "$top"/libxl-numa/text/*.h "$top"/xl/*/*.h

check "sentences that were hard to read are found" each_is_found
check "a comment of a header is checked, and its code is not" \
    finds 3 x.h << 'EOF'
int pool;
/*
 * This is said to the pool.
 *
 *     pool(pool)
 */
int pool(int pool);
EOF
check "the line that is wrong is named" finds 5 x.pod << 'EOF'
=head1 NAME

Nothing is wrong here. In this
paragraph a line has
a fault that is said, and another line
has none.
EOF
check "a long sentence is found, in the line where it begins" finds 2 x.md << 'EOF'
It is short.
This one is not, because it goes on and on and has one more clause
after each clause, so that whoever reads it has forgotten its beginning
before the end comes, which is why nobody should write such a
sentence, neither in a page nor in any other place where people read.
EOF
check "a message that is wrong is found, in the line where it begins" finds 3 \
    x.c << 'EOF'
/* "what a comment quotes" */
static const char good[] = "what a program reports";
static const char bad[] = "%s: 104 MiB " XEN "are not to "
                          "be had from " NODES;
EOF
check "code in a man page is not checked" has_none x.pod << 'EOF'
Text with C<can't>, B<--beside> and C<< <a> can't >>.

    what is said in an example

    promised, as ever
EOF
check "code in Markdown is not checked" has_none x.md << 'EOF'
Text with `can't`:

    what is said in an example

| term | not |
|---|---|
| reserve | `promise` |
EOF

finish
