# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The packages of one Debian, whichever the rig itself runs on; sourced by rig. A
# private root of apt knows that suite's, from the mirrors that the host's apt
# has its own from. A list names what is needed, one package a line; apt adds
# what that depends on. A line '-NAME' leaves a package out, and with it what
# only that one needs.

readonly debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

host_suite() {
    sed -n 's/^VERSION_CODENAME=//p' /etc/os-release
}

list() { # FILE: the lines of a package list
    sed 's/#.*//; s/[[:space:]]*$//; /^$/d' "$rig_dir/$1"
}

# --- the root of apt ---------------------------------------------------------

# The host's mirrors of Debian, as the lines of a sources.list for $suite. The
# host's apt does not know whose a mirror is before it has a list from there.
suite_sources() {
    local release
    release="$(host_suite)|oldstable|stable|testing|unstable|sid"
    # shellcheck disable=SC2016 # apt expands it
    apt-get indextargets --format '$(ORIGIN) $(RELEASE) $(REPO_URI)' \
        'Created-By: Packages' 'Component: main' 2> /dev/null |
        sed -nE "s/^(Debian|\\$\\(ORIGIN\\)) ($release)(-updates|-security)?\
 (.*)/deb [signed-by=${debian_keyring//\//\\/}] \4 $suite\3 main/p" | sort -u
}

# How to reach them (a proxy, say) is as the host's apt has it.
suite_apt_conf() {
    apt-config dump | grep '^Acquire::'
    cat << EOF
Dir "$cache/apt";
Dir::Etc::netrc "/etc/apt/auth.conf";
Dir::Etc::netrcparts "/etc/apt/auth.conf.d";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::Retries "3";
Acquire::Languages "none";
EOF
}

apt_with() { # get|cache ARG...
    APT_CONFIG=$cache/apt/apt.conf "apt-$1" -q "${@:2}"
}

# Has the host's apt newer lists, or other mirrors, than when the suite's lists
# were last asked for?
suite_is_stale() {
    [[ ! -f $cache/apt/asked ||
       -n $(find /etc/apt /var/lib/apt/lists -newer "$cache/apt/asked" \
                -print -quit 2>&1) ]]
}

# Brings the suite's lists up to date. Those of the last time are used where no
# mirror answers.
suite_update() {
    local apt=$cache/apt
    mkdir -p "$apt"/etc/apt/{apt.conf.d,preferences.d,trusted.gpg.d} \
        "$apt"/var/{lib/apt/lists/partial,cache/apt/archives/partial,lib/dpkg}
    touch "$apt/asked.new"
    suite_sources > "$apt/etc/apt/sources.list"
    suite_apt_conf > "$apt/apt.conf"
    if [[ ! -s $apt/etc/apt/sources.list ]]; then
        talk "no mirror of Debian among the host's sources of packages" \
             "(/etc/apt)"
    elif ! apt_with get update > "$tmp/apt" 2>&1; then
        sed -n '/^[EW]:/p' "$tmp/apt" >&2
        talk "cannot get the lists of packages of '$suite'"
    fi
    mv "$apt/asked.new" "$apt/asked"
}

suite_open() {
    if suite_is_stale; then
        exec 8> "$cache/lock"
        flock 8
        ! suite_is_stale || suite_update 8>&-
        exec 8>&-
    fi
}

# --- what a list comes to ----------------------------------------------------

# A system on which what the list leaves out is installed, without anything that
# it depends on, and nothing else is.
list_status() { # LIST
    local names
    mapfile -t names < <(list "$1" | sed -n 's/^-//p')
    ((${#names[@]} == 0)) ||
        apt_with cache show --no-all-versions "${names[@]}" 2> /dev/null | awk '
            /^(Package|Version|Architecture|Multi-Arch|Provides): /
            /^Package: / { print "Status: hold ok installed" }
            /^$/'
}

# Prints "NAME=VERSION CHECKSUM" of each package that the list comes to.
list_packages() { # LIST
    local names
    list_status "$1" > "$tmp/status"
    mapfile -t names < <(list "$1" | sed /^-/d)
    apt_with get install -qq --print-uris -y --no-install-recommends \
        -o "Dir::State::status=$tmp/status" "${names[@]}" 2> "$tmp/apt" |
        awk '{
            sub(/_[^_]*$/, "", $2)
            sub(/_/, "=", $2)
            gsub(/%3a/, ":", $2)
            print $2, $4
        }' | sort
}

# The directory of what is made of the packages in LIST. Its name says which
# list, what is unpacked, what else KEY stands for, and which versions; so that
# without apt's lists the newest that we have will do.
packages_dir() { # NAME LIST [KEY]
    local list_key said dir
    list_key=$({ list "$2"; declare -f package_unpack; echo "${3:-}"; } |
        checksum)
    said=$cache/$1-$list_key.is
    if [[ ! -d $(cat "$said" 2> /dev/null) ||
          $cache/apt/asked -nt $said ]]; then
        dir=$(packages_by_apt "$2" "$cache/$1-$list_key") || exit
        echo "$dir" > "$said.$$"
        mv "$said.$$" "$said"
    fi
    cat "$said"
}

packages_by_apt() { # LIST DIR-WITHOUT-VERSION
    local packages dirs
    packages=$(list_packages "$1") || packages=''
    if [[ -n $packages ]]; then
        echo "$2-$(checksum <<< "$packages")"
        return
    fi
    mapfile -t dirs < <(ls -dt "$2"-* 2> /dev/null)
    ((${#dirs[@]} > 0)) || {
        cat "$tmp/apt" >&2
        fail "apt does not know all packages of $1 in '$suite':" \
             "is that a release of Debian? Run tools/deps for new lists"
    }
    echo "${dirs[0]}"
}

# --- packages as files -------------------------------------------------------

# Those packages as files in DIR/deb.
download_packages() { # DIR NAME=VERSION...
    local dir=$1
    shift
    mkdir "$dir/deb"
    (cd "$dir/deb" && apt_with get download "$@") > "$tmp/apt" 2>&1 || {
        cat "$tmp/apt" >&2
        # The lists may be older than what the mirror has now.
        rm -f "$cache/apt/asked"
        fail "cannot download packages of '$suite': try again"
    }
}

# Unpacks the package file $1 into $2; of a kernel, only what dom0 uses.
package_unpack() {
    local what=()
    if [[ $1 == */linux-image-[0-9]* ]]; then
        what=(--wildcards './boot/vmlinuz-*' '*/lib/modules/*/modules.*'
              '*/kernel/drivers/xen' '*/kernel/drivers/*virtio*'
              '*/kernel/*failover.ko*' '*/kernel/drivers/pci/xen-*'
              '*/kernel/drivers/net/ethernet/intel/e1000e'
              '*/kernel/drivers/ptp' '*/kernel/drivers/pps')
    fi
    dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink \
        --exclude='./usr/share/'{doc,info,lintian,locale,man} "${what[@]}"
}

# Leaves out what BUT, another list, has.
make_packages() { # DIR LIST [BUT]
    local deb packages
    talk "downloading the packages of $2 in '$suite' (once)"
    mapfile -t packages < <(comm -23 <(list_packages "$2" | cut -d ' ' -f 1) \
        <([[ -z ${3:-} ]] || list_packages "$3" | cut -d ' ' -f 1))
    download_packages "$1" "${packages[@]}"
    merge_usr "$1"
    for deb in "$1"/deb/*.deb; do
        package_unpack "$deb" "$1"
    done
    rm -r "$1/deb"
    [[ ! -d $1/lib/modules ]] || depmod -b "$1" "$(ls "$1/lib/modules")"
}
