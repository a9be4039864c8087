#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Our xl in front of an installed one that is a script of ours.

front=$(cd "${top_builddir:-.}" && pwd)/xl/xl
if [ -e /sys/hypervisor/version/major ]; then
    # Here it would find the running Xen's own xl first.
    echo "1..0 # SKIP a Xen is running here"
    exit 0
fi

# Away from the build tree, and gone in any case.
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
system_path=$PATH
. "${top_srcdir:-.}/tests/unit/tap.sh"

# Make the "installed" xl: tells how it was called, as it is told to.
mkdir "$tmp/bin" "$tmp/empty" "$tmp/circle"
cat > "$tmp/bin/xl" <<'END'
#!/bin/sh
if [ "$*" = help ] && [ -z "$NO_XEN" ]; then
    printf 'Usage xl [-vfNtT] <subcommand> [args]\n\n'
    printf 'xl full list of subcommands:\n\n'
    for command in claims create destroy info list migrate migrate-receive \
        mem-set network-attach remus rename restore save vcpu-list vcpu-pin \
        vcpu-set $MORE; do
        printf ' %-19s Do something\n' "$command"
    done
    printf ' a-name-of-many-letters\n                     Do something\n'
    exit
fi
case $FAKE in
    args) printf '%s' $#; [ $# -eq 0 ] || printf '[%s]' "$@" ;;
    copy) cat; echo "to stderr" >&2 ;;
    env) echo "${LD_PRELOAD-unset} ${XL_NUMA_DRY_RUN-unset}" ;;
    signal) kill -TERM $$ ;;
    pid) echo $$ ;;
    *) exit "$FAKE" ;;
esac
END
chmod +x "$tmp/bin/xl"

# xl FAKE ARG...: our xl, with the fake one and what it needs in PATH
xl() {
    FAKE=$1
    shift
    PATH="$tmp/bin:$system_path" FAKE=$FAKE "$front" "$@"
}

# ---- what passes ----

same "$(xl args list)" "1[list]" "an argument is passed on"
same "$(xl args)" "0" "no argument at all is passed on"
same "$(xl args list 'a b' '' "c'd" '*' -- -x)" \
    "7[list][a b][][c'd][*][--][-x]" \
    "blanks, empty arguments and quotes pass"
same "$(xl args list "$(printf 'a\nb\tc')")" \
    "2[list][$(printf 'a\nb\tc')]" "line ends in an argument are passed on"
same "$(xl args -v -t -N list -l g 2> "$tmp/err")" \
    "6[-v][-t][-N][list][-l][g]" "global options keep their places"
same "$(xl args nonsense -z --what)" "3[nonsense][-z][--what]" \
    "an unknown command is passed on"
same "$(xl args -X list)" "2[-X][list]" "an unknown option is passed on"
same "$(cat "$tmp/err")" "" "xl prints nothing of its own"

for status in 0 1 2 3 42 255; do
    xl $status list
    same $? $status "exit status $status is the installed xl's"
done
# The shell tells of it too.
(xl signal list) 2> /dev/null
same $? 143 "the signal that kills the installed xl is passed on"

same "$(printf 'one\n two' | xl copy list 2> /dev/null)" \
    "$(printf 'one\n two')" "standard input and output are passed on"
same "$(echo x | xl copy list 2>&1 > /dev/null)" "to stderr" \
    "standard error is passed on"
same "$(FAKE=pid PATH="$tmp/bin:$system_path" \
    sh -c 'echo $$; exec "$0" list' "$front" | uniq | wc -l | tr -d ' ')" 1 \
    "the installed xl takes the place of ours, in the same process"

same "$(LD_PRELOAD='' xl env list)" " unset" \
    "the environment of another command is not changed"

# ---- commands of ours ----

cat > "$tmp/xl-numa" << 'END'
#!/bin/sh
printf '%s' ours; printf '[%s]' "$@"
exit 3
END
chmod +x "$tmp/xl-numa"
other_front=$(cd "${top_builddir:-.}" && pwd)/tests/unit/test-front

# ours ARG...: an xl that has that script for its xl-numa
ours() {
    (cd "$tmp" && PATH="$tmp/bin:$system_path" FAKE=args "$other_front" "$@")
}

same "$(ours vcpu-pin g all 0-3)" "ours[vcpu-pin][g][all][0-3]" \
    "a command of ours goes to xl-numa"
ours vcpu-pin g all 0-3 > "$tmp/out"
same $? 3 "the exit status is that of xl-numa"
same "$(ours -v -N vcpu-pin 'a b' '')" "ours[-v][-N][vcpu-pin][a b][]" \
    "xl-numa gets all arguments"
same "$(ours numa-i 1)" "ours[numa-info][1]" \
    "a name may be shortened, and xl-numa gets it whole"
same "$(ours no g)" "ours[node-affinity][g]" \
    "a name may be as short as it is unique"
same "$(ours numa)" "ours[numa]" \
    "xl-numa lists the commands if several begin so"
same "$(ours vcpu g)" "2[vcpu][g]" \
    "an abbreviation of several commands is passed on"
same "$(ours vcpu-p g)" "ours[vcpu-pin][g]" \
    "an abbreviation of our command alone is ours"
same "$(ours vcpu-list g)" "2[vcpu-list][g]" \
    "xl vcpu-list is the installed xl's"
same "$(ours vcpu-list -o NODE)" "ours[vcpu-list][-o][NODE]" \
    "a command with an option that the installed xl does not have is ours"
same "$(ours vcpu-list -- -o)" "3[vcpu-list][--][-o]" \
    "an argument after -- is not an option"
same "$(ours info -n)" "2[info][-n]" "xl info -n is the installed xl's"
same "$(ours info --numa free_memory)" "3[info][--numa][free_memory]" \
    "xl info --numa is the installed xl's"
same "$(ours info -n --json)" "ours[info][-n][--json]" "xl info --json is ours"
same "$(ours create g.cfg n=1)" "3[create][g.cfg][n=1]" \
    "xl create is the installed xl's"
same "$(ours create --plan p.json)" "ours[create][--plan][p.json]" \
    "xl create --plan is ours"
same "$(ours cr --plan=p.json)" "ours[create][--plan=p.json]" \
    "xl create --plan is ours with a shortened name"
same "$(ours destroy --plan)" "2[destroy][--plan]" \
    "--plan of another command is not ours"
same "$(MORE=numad ours numa-i)" "ours[numa-info]" \
    "a name that only we have is unique, whatever the installed xl has"
same "$(MORE=numa-info-more ours numa-i)" "1[numa-i]" \
    "a short name that begins a command of the installed xl is passed on"
same "$(NO_XEN=1 ours numa-i)" "ours[numa-info]" \
    "an installed xl that does not list its commands is not waited for"
rm "$tmp/xl-numa"
ours numa-info 2> "$tmp/err"
same $? 1 "without xl-numa the status is 1"
same "$(cat "$tmp/err")" \
    "xl: cannot run './xl-numa': No such file or directory" \
        "without xl-numa a line says so"

# ---- without Xen ----

no_xen() {
    echo "xl: no running Xen according to /sys/hypervisor/version/: '$1'\
 cannot place a domain"
}

# warns COMMAND ARG...: says the line for COMMAND, and runs all the same
warns() {
    command=$1
    shift
    out=$(xl args "$@" 2> "$tmp/err")
    same "$(cat "$tmp/err")" "$(no_xen "$command")" "xl $*: one line is printed"
    same "${out%%\[*}" $# "xl $*: the installed xl runs with all of it"
}

# silent ARG...
silent() {
    same "$(xl args "$@" 2>&1 > /dev/null)" "" "xl $*: nothing is printed"
}

warns create create g.cfg
warns create crea g.cfg
warns create cr g.cfg
warns create -v create g.cfg
warns create -vvv -t create -p g.cfg
warns create -N create g.cfg
warns create create -n g.cfg
warns create create 'my guest.cfg' 'memory=512'
warns restore restore g.save
warns restore rest g.save
warns migrate-receive migrate-receive
warns migrate-receive migrate-r

# Of a release that has resume.
MORE=resume
export MORE
silent res g.save
warns restore rest g.save
unset MORE
warns restore res g.save

silent list
silent li
silent l
silent c
silent re
silent migrate g host
silent mig g host
silent creat3 g.cfg
silent CREATE g.cfg
silent -- list
silent -x create g.cfg
silent ''
same "$(xl env create g.cfg 2> /dev/null)" "${LD_PRELOAD-unset} unset" \
    "without Xen no module is loaded"
xl 3 create g.cfg 2> /dev/null
same $? 3 "without Xen the status of a create is passed on"

# ---- which xl ----

PATH="$tmp/empty:$tmp/bin:$system_path" FAKE=7 "$front" list
same $? 7 "a directory of PATH without an xl is skipped"

mkdir "$tmp/odd" "$tmp/odd/xl"
PATH="$tmp/odd:$tmp/bin:$system_path" FAKE=7 "$front" list
same $? 7 "a directory with the name xl is skipped"

mkdir "$tmp/plain"
echo nothing > "$tmp/plain/xl"
PATH="$tmp/plain:$tmp/bin:$system_path" FAKE=7 "$front" list
same $? 7 "a file that cannot be run is skipped"

mkdir "$tmp/link"
ln -s "$front" "$tmp/link/xl"
PATH="$tmp/link:$tmp/bin:$system_path" FAKE=7 "$tmp/link/xl" list
same $? 7 "a link to our own xl is skipped"

PATH="$tmp/no such:$tmp/bin:$system_path" FAKE=7 "$front" list
same $? 7 "a directory of PATH that does not exist is skipped"

mkdir "$tmp/copy"
cp "$front" "$tmp/copy/xl"
PATH="$tmp/copy:$tmp/bin:$system_path" FAKE=7 "$front" list
same $? 7 "a copy of our own xl is skipped"

mkdir "$tmp/before"
cat > "$tmp/before/xl" <<END
#!/bin/sh
"$tmp/link/xl" "\$@"
END
chmod +x "$tmp/before/xl"
PATH="$tmp/before:$tmp/link:$tmp/bin:$system_path" FAKE=7 "$tmp/before/xl" list
same $? 7 "a script before ours in PATH that calls ours is skipped"

cat > "$tmp/circle/xl" <<END
#!/bin/sh
exec "$front" "\$@"
END
chmod +x "$tmp/circle/xl"
out=$(PATH="$tmp/circle:$system_path" "$front" list 2>&1)
status=$?
same "$out" "xl: the installed xl is this one: expected another in PATH" \
    "a line reports an xl that calls ours again"
same $status 1 "an xl that calls ours again ends"

mkdir "$tmp/nested"
cat > "$tmp/nested/xl" <<END
#!/bin/sh
PATH="$tmp/bin:$system_path" FAKE=9 "$front" list
END
chmod +x "$tmp/nested/xl"
PATH="$tmp/nested:$system_path" "$front" list
same $? 9 "an xl that starts another xl of its own runs"

for dir in /usr/local/sbin /usr/sbin /sbin; do
    [ -x "$dir/xl" ] && installed=$dir/xl
done
if [ "$installed" ]; then
    result 0 "no installed xl # SKIP there is $installed"
else
    out=$(PATH="$tmp/empty" "$front" list 2>&1)
    status=$?
    same "$out" "xl: cannot find the installed xl, neither for the running\
 Xen nor in PATH" "a line reports that no xl is installed"
    same $status 1 "without an installed xl it fails"
fi

# Ours as /usr/sbin/xl, and before it in every list of places one in /usr/local.
beside_local() { # XL
    mkdir -p "$tmp/local" "$tmp/ours" &&
        cp "$1" "$tmp/local/xl" && cp "$front" "$tmp/ours/xl" || return
    # shellcheck disable=SC2016 # for the shell in there
    unshare --mount sh -c '
        mount --bind "$1/local" /usr/local/sbin &&
        mount --bind "$1/ours" /usr/sbin &&
        PATH=/usr/sbin:/usr/bin FAKE=args /usr/sbin/xl list a' sh "$tmp" 2>&1
}

if unshare --mount true 2> /dev/null; then
    same "$(beside_local /bin/echo)" "list a" \
        "the xl of a Xen in /usr/local is found from a package of ours"
    same "$(beside_local "$tmp/bin/xl")" "xl: cannot find the installed xl,\
 neither for the running Xen nor in PATH" \
     "a script in /usr/local that leads back is skipped"
else
    result 0 "a Xen in /usr/local # SKIP needs root"
fi

printf 'no program' > "$tmp/plain/xl"
chmod +x "$tmp/plain/xl"
out=$(PATH="$tmp/plain:$system_path" "$front" list 2>&1)
status=$?
same "$out" "xl: cannot run '$tmp/plain/xl': Exec format error" \
    "a line reports an installed xl that is not a program"
same $status 1 "an installed xl that is not a program makes it fail"

# ---- help, and the tree that it was built in ----

xl args help > "$tmp/help"
same "$(awk '/^ (create|vcpu-set|numa-map|numa-top) / { print $1 }' \
    "$tmp/help" | sort -u | wc -l)" 4 \
    "help lists the installed xl's commands, and then ours"
NO_XEN=1
export NO_XEN
same "$(PATH="$tmp/empty:/usr/bin:/bin" "$front" help 2>&1 |
    grep -c '^ numa-plan ')" 1 "help lists ours where there is no other xl"
unset NO_XEN
same "$(xl args numa | grep -c '^ numa-plan ')" 1 "xl numa lists our commands"
same "$(xl args numa-pln 2>&1; echo $?)" \
    "xl: unknown command 'numa-pln': did you mean numa-plan?
2" "a misspelt command is guessed"
same "$(xl args numa-map --version | cut -d' ' -f1)" xl-numa \
    "a command runs from the tree that it was built in"

finish
