#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion: what a word on xl's command line may become, in bash, zsh and fish.

build=$(cd "${top_builddir:-.}" && pwd)
. "${top_srcdir:-.}/tests/unit/tap.sh"
host=$(cd "${top_srcdir:-.}" && pwd)/tests/hosts/rig-4node.json

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
marker=$tmp/marker

# An xl with domains, one of which would like to be run, and a stock command.
cat > "$tmp/xl" << END
#!/bin/bash
case \$1 in
help) printf '%s\n' '' 'xl full list of subcommands:' '' \\
    ' create              Create a domain' \\
    ' vcpu-set            Set the number of vCPUs' ;;
list) printf '%-40s %5d %5d %5d     %s  %8.1f\n' Name 0 0 0 State 0 \\
    Domain-0 0 768 2 r----- 12.3 "two words" 7 256 1 -b---- 0.2 \\
    '\$(touch $marker)' 8 256 1 -b---- 0.2 ;;
vcpu-set) echo 'Usage: xl [-v] vcpu-set [option] <Domain> <vCPUs>' ;;
numa-info|vcpu-list)
    [[ \$2 == --help ]] || set -- "\$1" --host "$host" "\${@:2}"
    "$build/xl/xl-numa" "\$@" ;;
*) "$build/xl/xl-numa" "\$@" ;;
esac
END
chmod +x "$tmp/xl"
PATH=$tmp:$PATH
for file in xl _xl xl.fish; do
    sed "s|[^ (]*/xl-complete|$build/completion/xl-complete|" \
        "$build/completion/$file" > "$tmp/$file.shell"
done

# --- bash ---

compopt() { :; }

# completes EXPECTED WORD...: the words, with blanks between
completes() {
    local expected=$1

    shift
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _xl
    same "${COMPREPLY[*]}" "$expected" "$*"
}

# shellcheck source=/dev/null # generated
. "$tmp/xl.shell"

completes "numa-info numa-map numa-move numa-plan numa-simulate numa-snapshot\
 numa-stat numa-top" xl numa-
completes "create" xl cr
completes "create" xl -v cr
completes "vcpu-list vcpu-pin vcpu-set" xl vcpu-
completes "--samples=" xl numa-stat --sa
completes "--json" xl vcpu-list --j
completes "--version" xl vcpu-list --ver
completes "NAME" xl numa-stat -o NA
completes "NAME,DISTANCE" xl numa-stat -o NAME,DI
completes "NODES NODE0 NODE1 NODE2 NODE3" xl numa-stat -o NODE
completes "DISTANCE" xl numa-stat --sort DI
completes "DISTANCE" xl numa-stat --sort = DI
completes "+TOTAL" xl -v numa-stat --output +TO
completes "auto always" xl numa-stat --color = a
completes "auto always never" xl numa-stat --color =
completes "auto always" xl numa-stat --color a
completes "soft hard none" xl node-affinity --cpus =
completes "lists" xl numa-stat --json = l
completes "libvirt" xl numa-plan --emit = l
completes "Domain-0" xl numa-move D
completes 'two\ words' xl numa-stat two
completes 'two\ words' xl numa-stat 'two\ w'
completes "Domain-0" xl vcpu-set D
completes "\\\$\(touch\ $marker\)" xl vcpu-pin '\$'
[ ! -e "$marker" ]
result $? "what a domain's name says is not run"
completes "0 1 2 3 auto all" xl numa-move two ""
completes "0,2" xl numa-move --live two 0,2
completes "0 1 2 3" xl numa-info ""
completes "all 0" xl vcpu-pin one ""
completes "node:0 node:1 node:2 node:3" xl vcpu-pin one all node
completes "nodes_policy=" xl numa-plan web.cfg nodes_p
completes "first best worst balanced" xl numa-plan nodes_policy =
completes "worst" xl create web.cfg nodes_policy = w
completes "" xl numa-plan web
completes "" xl numa-map -o NA
completes "--pages" xl numa-map --p
completes "--batch" xl numa-top --b

# --- fish and zsh ---

# in_fish EXPECTED LINE
in_fish() {
    same "$(fish --no-config -c "source $tmp/xl.fish.shell; complete -C '$2'" |
        sed 's/\t.*//' | paste -s -d ' ')" "$1" "fish: $2"
}

if command -v fish > /dev/null; then
    export HOME=$tmp
    in_fish "numa-map numa-move" "xl numa-m"
    in_fish "--samples=" "xl numa-stat --sa"
    in_fish "NAME,DISTANCE" "xl numa-stat -o NAME,DI"
    in_fish "--color=always --color=auto" "xl numa-stat --color=a"
    in_fish "two words" "xl numa-move tw"
    in_fish "all auto" "xl numa-move one a"
    in_fish "nodes_policy=worst" "xl create web.cfg nodes_policy=w"
    in_fish "disable" "xl-numa-libvirt di"
else
    echo "# no fish here"
fi

# in_zsh EXPECTED WORD...: as its completion system would call it
in_zsh() {
    local expected=$1

    shift
    same "$(zsh -f -c '
        service=$1
        _files() { echo files }
        compadd() {
            [[ $1 == -S ]] && shift 2
            shift
            print -l -- ${(M)@:#${(Q)words[CURRENT]}*}
        }
        words=("$@")
        CURRENT=$#
        . '"$tmp/_xl.shell" zsh "$@" | grep . | paste -s -d ' ')" \
        "$expected" "zsh: $*"
}

if command -v zsh > /dev/null; then
    in_zsh "numa-map numa-move" xl numa-m
    in_zsh "--samples=" xl numa-stat --sa
    in_zsh "NAME,DISTANCE" xl numa-stat -o NAME,DI
    in_zsh "--color=auto --color=always" xl numa-stat --color=a
    in_zsh "two words" xl numa-move 'two\ w'
    in_zsh "auto all" xl numa-move one a
    in_zsh "files" xl numa-plan web
    in_zsh "disable" xl-numa-libvirt di
else
    echo "# no zsh here"
fi

finish
