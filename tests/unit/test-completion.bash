#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion: what a word on xl's command line may become.

build=$(cd "${top_builddir:-.}" && pwd)
. "${top_srcdir:-.}/tests/unit/tap.sh"

# Domains of a host, one of which would like to be run.
xl() {
    case $1 in
    help) printf '%s\n' '' 'xl full list of subcommands:' '' \
        ' create              Create a domain' ;;
    list) printf '%-40s %5d %5d %5d     %s  %8.1f\n' Name 0 0 0 State 0 \
        Domain-0 0 768 2 r----- 12.3 "two words" 7 256 1 -b---- 0.2 \
        "\$(touch $marker)" 8 256 1 -b---- 0.2 ;;
    *) "$build/xl/xl-numa" "$@" ;;
    esac
}
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

marker=$(mktemp -u) || exit 1
# shellcheck source=/dev/null # generated
. "$build/completion/xl"

completes "numa-info numa-map numa-move numa-plan numa-simulate numa-snapshot numa-stat numa-top" \
    xl numa-
completes "create" xl cr
completes "create" xl -v cr
completes "--samples=" xl numa-stat --sa
completes "--json" xl vcpu-list --j
completes "NAME" xl numa-stat -o NA
completes "NAME,DISTANCE" xl numa-stat -o NAME,DI
completes "DISTANCE" xl numa-stat --sort DI
completes "+TOTAL" xl -v numa-stat --output +TO
completes "Domain-0" xl numa-move D
completes 'two\ words' xl numa-stat two
completes 'two\ words' xl numa-stat 'two\ w'
completes "\\\$\(touch\ $marker\)" xl vcpu-pin '\$'
[ ! -e "$marker" ]
result $? "what a domain's name says is not run"
completes "" xl numa-plan web
completes "" xl numa-map -o NA
completes "--pages" xl numa-map --p
completes "--batch" xl numa-top --b

finish
