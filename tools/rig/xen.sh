# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The Xen that the rig boots: that of the suite's packages, or an install tree of
# one's own, as `make dist` of Xen leaves it in dist/install; sourced by rig.
# $xen is the root of either. Its files stay where they are in there, under
# /usr or /usr/local: that is compiled into them.

# What dom0 can't do without, and what is put in where it is there.
readonly xen_programs=(xl xenstored xenconsoled xenconsole xen-init-dom0
                       libxl-save-helper)
readonly xen_other_programs=(xentop xen-diag xenperf xenpm lsevtchn)

# Prints the paths of the files of that name, from $xen on.
xen_files() { # NAME [FIND-OPTION...]
    (cd "$xen" && find usr -type f -name "$1" "${@:2}" | sort)
}

# The first program of that name. In Debian's packages the xl in PATH is a link.
xen_program() { # NAME
    xen_files "$1" -perm -u=x | head -n 1
}

# Where its libxl looks for the device model: beside the save helper, unless it
# was built for one somewhere else.
xen_device_model() {
    local path
    path=$(cd "$xen" && find usr -name 'libxenlight.so*' -type f -exec \
        strings -a {} + | awk '/^\/.*\/qemu-system-i386$/ && !seen++')
    echo "${path:-/$(dirname "$(xen_program libxl-save-helper)")/qemu-system-i386}"
}

xen_firmware() {
    xen_files hvmloader | head -n 1
}

# The newest, if there are several.
xen_hypervisor() {
    find "$xen/boot" -maxdepth 1 -type f -name 'xen*.gz' -printf '%T@ %p\n' |
        sort -n | sed -n '$s/^[^ ]* //p'
}

# The directories of its libraries, dynamic and static.
xen_library_dirs() {
    find "$xen/usr" -name 'libxen*.so*' -printf '%h\n' | sort -u
}

xen_include_dir() {
    find "$xen/usr" -path '*/include/xenctrl.h' -printf '%h\n'
}

# Of unpacked packages what is Xen's: the C library and the headers beside it are
# of another Debian than dom0.
make_xen() { # DIR PACKAGES
    (cd "$2" && find boot usr/bin usr/sbin usr/include usr/lib/xen* \
        "$lib_dir" ! -type d \( -name 'xen*' -o -path '*/xen*/*' -o \
        -name 'libxen*' -o -name '*libxl*' -o -name xl \) -print0 |
        cpio --quiet -0 -p -d -l "$1")
}

# Prints the root of the Xen of another suite.
xen_of_suite() ( # SUITE
    suite=$1
    cache_open
    suite_open
    packages=$(packages_dir packages dom0-packages) || exit
    cache_make "$packages" make_packages dom0-packages
    xen=$cache/xen-${packages##*/packages-}
    cache_make "$xen" make_xen "$packages"
    echo "$xen"
)

# Sets $xen to the root that DIR is or has, or to that of a suite.
xen_open() { # DIR|SUITE
    local dir program
    if [[ ! -d $1 && $1 =~ ^[a-z]+$ ]]; then
        xen=$(xen_of_suite "$1") || exit
        return
    fi
    [[ -d $1 ]] ||
        fail "expected the directory of a Xen or the name of a suite, not '$1'"
    for dir in "$1/dist/install" "$1/install" "$1"; do
        [[ ! -d $dir/boot || ! -d $dir/usr ]] || break
    done
    xen=$(cd "$dir" && pwd)
    [[ -d $xen/usr && -d $xen/boot && -n $(xen_hypervisor) ]] ||
        fail "no hypervisor in '$1': expected an install tree of Xen, with" \
             "boot/xen*.gz and usr/, as 'make dist' makes it in dist/install"
    for program in "${xen_programs[@]}"; do
        [[ -n $(xen_program "$program") ]] ||
            fail "no program '$program' under '$xen/usr': expected all tools" \
                 "of Xen, as 'make dist' makes them in dist/install"
    done
    [[ -n $(xen_firmware) && -n $(xen_include_dir) ]] ||
        fail "no hvmloader, or no xenctrl.h, under '$xen/usr': expected all" \
             "of Xen, as 'make dist' makes it in dist/install"
}

# What the tree is now.
xen_key() { # DIR
    (cd "$1" && find boot usr -type f -printf '%p %s %T@\n' | sort)
}

# Programs stay where they are and are found in /usr/sbin; /usr/lib/rig/toolstack
# says where those are that no one calls by name.
install_toolstack() { # ROOT
    local name program
    for name in "${xen_programs[@]}" "${xen_other_programs[@]}"; do
        program=$(xen_program "$name")
        [[ -n $program ]] || continue
        install -D "$xen/$program" "$1/$program"
        [[ $program == usr/sbin/* ]] || ln -sfn "/$program" "$1/usr/sbin/$name"
    done
    ln -s "/$(xen_program xl)" "$1/usr/bin/stock-xl"
    find "$xen/usr" -path '*/bin/xenstore*' -exec cp -P {} "$1/usr/bin/" \;
    mkdir -p "$1/usr/lib/rig"
    { echo "xen_bin=/$(dirname "$(xen_program libxl-save-helper)")"
      echo "xen_firmware=/$(dirname "$(xen_firmware)")"
    } > "$1/usr/lib/rig/toolstack"
}

# The host's compiler, with the suite's C library and that Xen's headers.
dom0_gcc() {
    gcc --sysroot="$packages" -std=gnu11 -O2 -Wall -Wextra \
        -I "$(xen_include_dir)" "$@"
}

# The tools of a Xen that does not run, as an upgrade leaves them: nothing in
# PATH leads there.
install_other_toolstack() { # ROOT
    local xen=$other_xen name program
    for name in "${xen_programs[@]}" "${xen_other_programs[@]}"; do
        program=$(xen_program "$name")
        [[ -z $program || -e $1/$program ]] ||
            install -D "$xen/$program" "$1/$program"
    done
}

# The guest kernel of ours.
install_guest_kernel() { # ROOT
    dom0_gcc -ffreestanding -fno-stack-protector \
        -fno-pic -no-pie -fcf-protection=none -fno-asynchronous-unwind-tables \
        -mgeneral-regs-only -mno-red-zone -nostdlib -static \
        -D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__ \
        -Wl,--build-id=none -Wl,-z,noexecstack \
        -Wl,--no-warn-rwx-segments -T "$rig_dir/guest/guest.ld" \
        -o "$1/boot/guest" "$rig_dir"/guest/*.[Sc]
    make_hvm_guest "$1/boot/guest" "$1/boot/guest-hvm"
    strip -s "$1/boot/guest"
}

# The same instead of hvmloader: an ELF file of 32 bits, entered as PVH is, and
# without the notes of a kernel.
make_hvm_guest() { # GUEST FILE
    local entry
    entry=$(nm "$1" | awk '$3 == "pvh_start" { print "0x" $1 }')
    objcopy -S -O elf32-i386 -R .note.Xen --set-start "$entry" "$1" "$2"
}

# Linked statically, if that Xen has static libraries, which is what makes it
# quick to start in dom0.
install_rig_xen() { # ROOT
    local dirs static
    mapfile -t dirs < <(xen_library_dirs)
    dirs+=("$packages/$lib_dir")    # before the host's, which gcc looks into
    [[ -z $(xen_files libxenctrl.a) ]] || static=-static
    dom0_gcc ${static:+"$static"} -o "$1/usr/bin/rig-xen" \
        "$rig_dir/dom0/rig-xen.c" "${dirs[@]/#/-L}" -lxenctrl -lxenstore \
        -lxencall -lxenforeignmemory -lxendevicemodel -lxenevtchn \
        -lxengnttab -lxentoolcore -lxentoollog -Wl,--allow-shlib-undefined
    strip -s "$1/usr/bin/rig-xen"
}

# One that needs the C library alone.
install_rig_program() { # ROOT NAME
    dom0_gcc -o "$1/usr/bin/$2" "$rig_dir/dom0/$2.c" "-L$packages/$lib_dir"
    strip -s "$1/usr/bin/$2"
}

# To be preloaded: what they define stands in for what libraries define.
install_preloads() { # ROOT
    local name
    mkdir -p "$1/usr/lib/rig"
    for name in fault impatient memory; do
        dom0_gcc -shared -fPIC -o "$1/usr/lib/rig/$name.so" \
            "$rig_dir/dom0/$name.c"
        strip --strip-unneeded "$1/usr/lib/rig/$name.so"
    done
}
