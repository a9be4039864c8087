# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A dom0 that is more of a Debian, for `rig --debian`; sourced by rig:
#   debian-KEY/    the packages of debian-packages, unpacked and registered, as
#                  debian.cpio; for dom0's own archive to be before it
#   debian-KEY.is  the path of such a directory, as for packages-KEY

# For no emulated second to be spent on unpacking them.
readonly debian_leaves_out=(./boot ./usr/share/{doc,info,lintian,locale,man}
                            './usr/lib/*/gconv')

# What dpkg calls a package's files in its own directory.
debian_info_name() { # DEB
    # shellcheck disable=SC2016 # dpkg-deb expands it
    if [[ $(dpkg-deb -f "$1" Multi-Arch) == same ]]; then
        dpkg-deb -W --showformat='${Package}:${Architecture}' "$1"
    else
        dpkg-deb -W --showformat='${Package}' "$1"
    fi
}

# Leaves ROOT as dpkg would, had it installed the package, but for what the
# package's scripts do.
debian_install() { # DEB ROOT
    local control=$tmp/control dpkg=$2/var/lib/dpkg name file
    dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink \
        --wildcards "${debian_leaves_out[@]/#/--exclude=}"
    rm -rf "$control"
    dpkg-deb --control "$1" "$control"
    name=$(debian_info_name "$1")
    { sed '/^Package:/a Status: install ok installed' "$control/control"
      echo; } >> "$dpkg/status"
    dpkg-deb --fsys-tarfile "$1" | tar -t |
        sed 's,^\.,,; s,/$,,; s,^$,/.,' > "$dpkg/info/$name.list"
    for file in "$control"/*; do
        [[ $file == */control ]] || cp "$file" "$dpkg/info/$name.${file##*/}"
    done
}

make_debian() { # DIR
    local root=$tmp/debian deb packages
    talk "downloading the packages of debian-packages in '$suite' (once)"
    mapfile -t packages < <(list_packages debian-packages | cut -d ' ' -f 1)
    download_packages "$1" "${packages[@]}"
    merge_usr "$root"
    mkdir -p "$root/var/log" \
        "$root"/var/lib/dpkg/{alternatives,info,parts,triggers,updates}
    echo 1 > "$root/var/lib/dpkg/info/format"
    for deb in "$1"/deb/*.deb; do
        debian_install "$deb" "$root"
    done
    archive "$root" "$1/debian.cpio"
    rm -r "$1/deb" "$root"
}

# Sets $debian to the directory of the archive, making it if need be.
cache_debian() {
    debian=$(packages_dir debian debian-packages \
        "$(cat "$rig_dir"/{cache,debian,suite}.sh | checksum)")
    cache_make "$debian" make_debian
}
