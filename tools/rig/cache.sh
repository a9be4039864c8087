# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What is slow to make and the same for every run, sourced by rig. Each suite
# has a directory, with:
#   apt/             a private root of apt (suite.sh)
#   packages-KEY/    the Debian packages of a list, unpacked
#   packages-KEY.is  the path of such a directory, by apt when it was last asked
#   base-KEY/        made from them: xen, vmlinux, dom0.cpio, linux.cpio (what
#                    guests boot of Debian's), hvm.cpio (what HVM guests are
#                    made of), sonames
#   libvirt-KEY/     libvirt.cpio: what --with-libvirt adds
#   ssh-KEY/         ssh.cpio: what --with-ssh adds
#   pci-KEY/         pci.cpio: what --with-pci adds
#   xen-KEY/         of packages-KEY what is Xen's, for another suite's dom0
#   product-KEY/     the built tree, or our packages, installed into dom0.cpio
# A KEY is a checksum of what the directory was made from. Everything is made
# in a temporary directory under a lock and renamed into place, so a reader
# needs no lock.

caches=${XDG_CACHE_HOME:-$HOME/.cache}/libxl-numa-rig
cache=''                        # that of the suite
readonly lib_dir=usr/lib/x86_64-linux-gnu

# Runs COMMAND DIR ARG... under the lock, unless DIR exists: COMMAND makes it.
cache_make() { # DIR COMMAND [ARG...]
    local dir=$1
    if [[ ! -d $dir ]]; then
        exec 8> "$cache/lock"
        flock 8
        if [[ ! -d $dir ]]; then
            rm -rf "$cache/tmp"
            mkdir "$cache/tmp"
            "$2" "$cache/tmp" "${@:3}" 8>&-
            mv -T "$cache/tmp" "$dir"
        fi
        exec 8>&-
    fi
    touch "$dir"
}

# Sets $cache. What no run has used for a month is removed: an older package, a
# build tree that no longer exists, a suite.
cache_open() {
    cache=$caches/$suite
    mkdir -p "$cache/apt" || fail "cannot make '$cache'"
    touch "$cache" "$cache/apt"
    find "$caches" "$cache" -mindepth 1 -maxdepth 1 -type d -mtime +30 \
        -exec rm -rf {} +
}

checksum() {
    sha256sum | cut -c 1-16
}

list() { # FILE: the lines of a package list
    sed 's/#.*//; s/[[:space:]]*$//; /^$/d' "$1"
}

# --- what dom0 always has ----------------------------------------------------

# Prints the shared libraries that the ELF files under $1 name.
needed_libraries() {
    find "$1" -type f \( -perm /111 -o -name '*.so*' \) -exec \
        readelf -d {} + 2> /dev/null |
        sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | sort -u
}

# Prints the names of the libraries under $1.
present_libraries() {
    find "$1" -name '*.so*' -printf '%f\n' | sort -u
}

# Copies into DOM0 the libraries that its programs need, from the first of the
# DIRs that has them, until none is missing. $1 lists what is there anyway.
copy_libraries() { # SONAMES DOM0 DIR...
    local sonames=$1 root=$2 missing lib dir
    shift 2
    mkdir -p "$root/$lib_dir"
    while :; do
        missing=$(comm -23 <(needed_libraries "$root") \
                           <(present_libraries "$root" | sort -u - "$sonames"))
        [[ -n $missing ]] || return 0
        for lib in $missing; do
            for dir; do
                [[ ! -f $dir/$lib ]] || break
            done
            [[ -f $dir/$lib ]] || fail "no library '$lib' for dom0"
            cp -L "$dir/$lib" "$root/$lib_dir/"
        done
    done
}

host_library_dirs() {
    PATH=$PATH:/sbin ldconfig -p |
        awk '/x86-64/ { sub("/[^/]*$", "", $NF); print $NF }' | sort -u
}

# Likewise, from the Xen, the suite, and, for what was built on the host, from
# there.
copy_dom0_libraries() { # SONAMES DOM0 [DIR...]
    local dirs
    mapfile -t dirs < <(xen_library_dirs)
    [[ -z $other_xen ]] || mapfile -t -O ${#dirs[@]} dirs < <(
        xen=$other_xen xen_library_dirs)
    dirs+=("${@:3}" "$packages/$lib_dir")
    [[ $xen == "$packages" ]] ||
        mapfile -t -O ${#dirs[@]} dirs < <(host_library_dirs)
    copy_libraries "$1" "$2" "${dirs[@]}"
}

# The newest glibc of what readelf -V prints, "2.36".
newest_glibc() {
    grep -oE 'GLIBC_2\.[0-9]+' | sed 's/GLIBC_//' | sort -uV | tail -n 1
}

# What was built on a newer Debian than dom0's does not start there.
check_glibc() { # ROOT WHAT
    local has needed
    has=$(readelf -V "$packages/$lib_dir/libc.so.6" | newest_glibc)
    needed=$(find "$1" -type f \( -perm /111 -o -name '*.so*' \) -print0 |
        xargs -0 readelf -V 2> /dev/null | newest_glibc) || :
    [[ $(printf '%s\n' "$has" "$needed" | sort -V | tail -n 1) == "$has" ]] ||
        fail "$2 needs glibc $needed, '$suite' has $has: build it on the" \
             "older Debian"
}

# Prints FILE without its compression, if it has one.
uncompressed() { # FILE
    case $(od -A n -t x1 -N 4 "$1" | tr -d ' ') in
    fd377a58) xz -dc --single-stream "$1" ;;
    28b52ffd) zstd -dcq "$1" ;;
    1f8b*)    gzip -dc "$1" ;;
    *)        cat "$1" ;;
    esac
}

# Makes $2, the plain ELF file in the compressed kernel $1: Xen would take ten
# seconds of emulated time to decompress it, at every start of a guest. Where it
# is, the boot protocol tells (setup_sects, payload_offset, payload_length); its
# size may follow it, which decompressors complain about.
extract_kernel() {
    local sectors offset length
    read -r sectors < <(od -A n -t u1 -j 0x1f1 -N 1 "$1")
    read -r offset length < <(od -A n -t u4 -j 0x248 -N 8 "$1")
    offset=$((offset + (sectors + 1) * 512))
    tail -c "+$((offset + 1))" "$1" | head -c "$length" > "$2.payload" || :
    uncompressed "$2.payload" > "$2" 2> /dev/null || :
    rm "$2.payload"
    strip -s "$2" 2> /dev/null || fail "no kernel in the payload of '$1'"
}

# Packs the directory $1 into the archive $2, everything owned by root.
archive() {
    (cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
        cpio --quiet -0 -o -H newc -R 0:0) > "$2"
}

# Every root is merged: what is packed must not have a directory where another
# archive has one of these links.
merge_usr() { # ROOT
    local dir
    mkdir -p "$1"/usr/{bin,sbin,lib,lib64}
    for dir in bin sbin lib lib64; do
        ln -s "usr/$dir" "$1/$dir"
    done
}

install_busybox() { # PACKAGES ROOT
    local applet
    cp "$1/bin/busybox" "$2/bin/"
    "$2/bin/busybox" --list-full | grep -vx bin/busybox |
        while read -r applet; do
            [[ ! -d $2/${applet%/*} ]] || ln -sf /bin/busybox "$2/$applet"
        done
}

# What programs on a terminal need to know of it.
install_terminfo() { # PACKAGES ROOT
    local entry
    for entry in "$1"/usr/{lib,share}/terminfo/{l/linux,v/vt100}; do
        [[ ! -e $entry ]] || install -D -m 644 "$entry" "$2${entry#"$1"}"
    done
}

# Modules, and the order in which dom0's init loads them: always, and for a wire.
# A kernel may have some of them built in.
install_modules() { # PACKAGES ROOT
    mkdir -p "$2/lib/modules"
    install_modules_for "$2/lib/modules/order" "$1" virtio_pci virtio_console \
        xen-evtchn xen-gntdev xen-gntalloc xen-privcmd xenfs
    install_modules_for "$2/lib/modules/order.wire" "$1" virtio_net
}

install_modules_for() { # ORDER PACKAGES MODULE...
    local order=$1 packages=$2 kernel module ko name
    shift 2
    kernel=$(ls "$packages/lib/modules")
    for module; do
        modprobe -d "$packages" -S "$kernel" --show-depends "$module"
    done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
        while read -r ko; do
            name=${ko##*/}
            name=${name%%.*}.ko
            [[ ! -e ${order%/*}/$name ]] || continue
            uncompressed "$ko" > "${order%/*}/$name"
            echo "$name" >> "$order"
        done
}

# What HVM guests are made of: the device model, and a file that is hvmloader,
# Debian's kernel and its root in one (hvm/boot.S).
make_hvm() { # DIR
    local root=$tmp/hvm
    mkdir -p "$root/boot"
    merge_usr "$root"
    install_device_model "$root"
    copy_dom0_libraries "$1/sonames" "$root"
    install_hvm_boot "$1" "$root/boot/hvm" "$(base_initramfs "$1")" pci=off
    archive "$root" "$1/hvm.cpio"
    rm -r "$root"
}

# The device model of that Xen, else the suite's, which stands in for it.
install_device_model() { # ROOT
    local from=$xen qemu keymap link
    qemu=$(xen_program qemu-system-i386)
    if [[ -z $qemu ]]; then
        from=$packages
        qemu=usr/libexec/xen-qemu-system-i386
        link=$1$(xen_device_model)
        mkdir -p "${link%/*}"
        ln -s "/$qemu" "$link"
    fi
    install -D "$from/$qemu" "$1/$qemu"
    (cd "$from" && find usr -path '*/keymaps/en-us') | while read -r keymap; do
        install -D -m 644 "$from/$keymap" "$1/$keymap"
    done
}

# Prints where the last segment of an ELF file ends in memory.
end_of_segments() { # FILE
    local address size end=0
    while read -r address size; do
        ((address + size <= end)) || end=$((address + size))
    done < <(readelf -lW "$1" | awk '$1 == "LOAD" { print $4, $6 }')
    echo "$end"
}

entry_of() { # FILE
    readelf -hW "$1" | awk '/Entry point/ { print $NF }'
}

# Prints the path of the root of guests, taken out of what linux.cpio has.
base_initramfs() { # BASE
    mkdir -p "$tmp/base-initramfs"
    (cd "$tmp/base-initramfs" && cpio -i -d -u --quiet boot/initramfs) \
        < "$1/linux.cpio"
    echo "$tmp/base-initramfs/boot/initramfs"
}

# Makes PREFIX-linux and PREFIX-bios. A kernel clears its .bss itself, hvmloader
# counts on it.
install_hvm_boot() { # BASE PREFIX INITRAMFS [KERNEL-OPTION...]
    local parts=$tmp/hvm-parts loader
    loader=$xen/$(xen_firmware)
    mkdir "$parts"
    objcopy -O binary "$loader" "$parts/hvmloader.bin"
    truncate -s $(($(end_of_segments "$loader") - 0x100000)) \
        "$parts/hvmloader.bin"
    objcopy -O binary -R .bss -R .brk -R .init.scratch "$1/vmlinux" \
        "$parts/kernel.bin"
    ln -s "$3" "$parts/initramfs"
    gcc -m32 -c -o "$parts/boot.o" -Wa,-I"$parts" -DOPTIONS="\"${*:4}\"" \
        "$rig_dir/hvm/boot.S"
    ld -m elf_i386 --no-warn-rwx-segments -T "$rig_dir/hvm/boot.ld" \
        --defsym kernel_entry="$(entry_of "$1/vmlinux")" \
        --defsym kernel_end="$(end_of_segments "$1/vmlinux")" \
        -o "$2-linux" "$parts/boot.o"
    objcopy --dump-section .bios="$2-bios" "$2-linux"
    strip -s -R .bios "$2-linux"
    rm -r "$parts"
}

# What guests boot of Debian's: a kernel, which is large, and their root.
make_linux() { # PACKAGES DIR
    local root=$tmp/linux
    mkdir -p "$root/boot"
    ln "$2/vmlinux" "$root/boot/" 2> /dev/null ||
        cp "$2/vmlinux" "$root/boot/"
    install_guest_root "$1" "$root"
    archive "$root" "$2/linux.cpio"
    rm -r "$root"
}

install_guest_root() { # PACKAGES ROOT
    local guest=$tmp/guest applet
    mkdir -p "$guest"/{bin,sbin,proc,sys,dev}
    cp "$1/bin/busybox" "$guest/bin/"
    for applet in sh cat grep mount sleep; do
        ln -s busybox "$guest/bin/$applet"
    done
    install -m 755 "$rig_dir/guest/init" "$guest/init"
    # The kernel runs these two when the toolstack asks it to.
    printf '#!/bin/sh\nexec /bin/busybox poweroff -f\n' > "$guest/sbin/poweroff"
    printf '#!/bin/sh\nexec /bin/busybox reboot -f\n' > "$guest/sbin/reboot"
    chmod 755 "$guest"/sbin/*
    archive "$guest" "$2/boot/initramfs"
}

install_skeleton() { # ROOT
    mkdir -p "$1"/{boot,dev,etc/xen,proc,rig,root,sys,tmp} \
             "$1"/run/{lock,xen,xenstored} \
             "$1"/var/{lib/xen,lib/xenstored,log/xen/console}
    merge_usr "$1"
    ln -s /run "$1/var/run"
    ln -s /run/lock "$1/var/lock"
    ln -s "/$lib_dir/ld-linux-x86-64.so.2" "$1/lib64/"
    : > "$1/etc/xen/xl.conf"
    echo dom0 > "$1/etc/hostname"
    echo 'root:x:0:0:root:/root:/bin/sh' > "$1/etc/passwd"
    echo 'root:x:0:' > "$1/etc/group"
}

make_base() { # DIR
    local root=$tmp/base
    talk "building dom0 (once)"
    mkdir "$root"
    install_skeleton "$root"
    install_busybox "$packages" "$root"
    install_toolstack "$root"
    [[ -z $other_xen ]] || install_other_toolstack "$root"
    install_modules "$packages" "$root"
    install_guest_kernel "$root"
    install_rig_xen "$root"
    install_rig_program "$root" rig-terminal
    install_rig_program "$root" rig-peer
    install_terminfo "$packages" "$root"
    install_preloads "$root"
    cp "$packages/usr/bin/strace" "$root/usr/bin/"
    extract_kernel "$packages"/boot/vmlinuz-* "$1/vmlinux"
    make_linux "$packages" "$1"
    # The loader; and what glibc loads by itself, in pthread_cancel.
    mkdir -p "$root/$lib_dir"
    cp -L "$packages/$lib_dir"/{ld-linux-x86-64.so.2,libgcc_s.so.1} \
        "$root/$lib_dir/"
    copy_dom0_libraries /dev/null "$root"
    check_glibc "$root" "'$xen'"
    present_libraries "$root" > "$1/sonames"
    make_hvm "$1"
    archive "$root" "$1/dom0.cpio"
    # QEMU loads plain ELF, not a compressed one.
    uncompressed "$(xen_hypervisor)" > "$1/xen"
    rm -r "$root"
}

# Sets $packages, $xen (to them, unless it is set) and $base, making them if
# need be.
cache_base() {
    local dir
    packages=$(packages_dir packages dom0-packages)
    cache_make "$packages" make_packages dom0-packages
    base=$cache/base-$({ echo "$packages $xen $other_xen"
        for dir in "$xen" "$other_xen"; do
            [[ -z $dir ]] || xen_key "$dir"
        done
        cat "$rig_dir"/{cache,xen}.sh "$rig_dir"/{guest,hvm}/* \
            "$rig_dir"/dom0/*.c; } | checksum)
    xen=${xen:-$packages}
    cache_make "$base" make_base
}

# --- libvirt -----------------------------------------------------------------

# The daemon with its driver for Xen alone: those that are not there it does
# without.
install_libvirt() { # PACKAGES ROOT
    local driver=$lib_dir/libvirt/connection-driver
    mkdir -p "$2"/{etc/libvirt,usr/share/libvirt,"$driver"}
    cp "$1/usr/sbin/libvirtd" "$2/usr/sbin/"
    cp "$1"/usr/bin/{virsh,virt-ssh-helper} "$2/usr/bin/"
    cp "$1/$driver/libvirt_driver_libxl.so" "$2/$driver/"
    cp -r "$1/usr/share/libvirt/cpu_map" "$2/usr/share/libvirt/"
    # libvirtd does not start unless the processor has all that one of its
    # models has. TCG's has no VME, which even a 486 has there.
    sed -i /vme/d "$2/usr/share/libvirt/cpu_map/x86_486.xml"
    install -m 644 "$rig_dir"/libvirt/*.conf "$2/etc/libvirt/"
    check_libvirt_release "$2"
}

# Its driver is bound to a release of libxl, and that one to the hypervisor.
check_libvirt_release() { # ROOT
    local needed
    needed=$(needed_libraries "$1" | grep libxenlight)
    grep -qxF "$needed" "$base/sonames" ||
        fail "libvirt of '$suite' needs $needed, '$xen' has" \
             "$(grep -m 1 libxenlight "$base/sonames"):" \
             "no --with-libvirt with this --xen"
}

# --- what is added to dom0 on demand -------------------------------------------

# Both ends, and what makes keys for the run. Since 9.8 sshd starts programs of its
# own.
install_ssh() { # PACKAGES ROOT
    local program
    mkdir -p "$2"/{etc/ssh,usr/lib/openssh}
    cp "$1/usr/sbin/sshd" "$2/usr/sbin/"
    cp "$1"/usr/bin/{ssh,ssh-keygen} "$2/usr/bin/"
    for program in "$1"/usr/lib/openssh/sshd-*; do
        [[ ! -f $program ]] || cp "$program" "$2/usr/lib/openssh/"
    done
    install -m 644 "$rig_dir/ssh/sshd_config" "$2/etc/ssh/"
    install -m 644 "$rig_dir/ssh/passwd" "$2/etc/"
}

# To assign PCI devices: the driver of dom0, and guests that have those of the cards.
install_pci() { # PACKAGES ROOT
    local guest=$tmp/guest-pci
    mkdir -p "$2"/{boot,root,lib/modules} "$guest/lib/modules"
    install -m 644 "$rig_dir"/pci/* "$2/root/"
    install_modules_for "$2/lib/modules/order.pci" "$1" xen-pciback
    install_modules_for "$guest/lib/modules/order" "$1" xen-pcifront e1000e
    archive "$guest" "$guest.cpio"
    cat "$(base_initramfs "$base")" "$guest.cpio" > "$2/boot/initramfs-pci"
    install_hvm_boot "$base" "$2/boot/hvm-pci" "$2/boot/initramfs-pci"
}

make_addition() { # DIR NAME PACKAGES
    local root=$tmp/$2
    talk "building dom0's part with $2 (once)"
    merge_usr "$root"
    "install_$2" "$3" "$root"
    copy_dom0_libraries "$base/sonames" "$root" "$3/$lib_dir"
    archive "$root" "$1/$2.cpio"
    rm -r "$root"
}

# Appends the path of NAME.cpio to $additions, making it if need be. Without a list
# of its own it is made of dom0's packages.
cache_addition() { # NAME
    local unpacked=$packages dir
    if [[ -f $rig_dir/$1-packages ]]; then
        unpacked=$(packages_dir packages "$1-packages")
        cache_make "$unpacked" make_packages "$1-packages" dom0-packages
    fi
    dir=$cache/$1-$({ echo "$base $unpacked"
        cat "$rig_dir/$1"/*; } | checksum)
    cache_make "$dir" make_addition "$1" "$unpacked"
    additions+=("$dir/$1.cpio")
}

# --- the built tree ----------------------------------------------------------

make_variable() { # BUILD NAME
    sed -n "s/^$2 *= *//p" "$1/Makefile" 2> /dev/null | head -n 1
}

# Is anything in the build tree or its sources newer than FILE? What tests
# leave behind does not count.
build_is_newer() { # BUILD FILE
    local source
    [[ -f $2 ]] || return 0
    source=$(make_variable "$1" abs_top_srcdir)
    [[ -n $(find "$1" ${source:+"$source"} -name .git -prune -o -type f \
        ! -name '*.log' ! -name '*.trs' -newer "$2" -print -quit) ]]
}

# Installs the build tree, or else the packages that are there, into ROOT. Where
# Xen's own xl is in the way, it stands beside ours, as dpkg would put it.
install_product() { # BUILD ROOT LOG
    local deb xl
    xl=$(xen_program xl)
    if [[ ! -f $1/Makefile ]]; then
        for deb in "$1"/*.deb; do
            [[ $deb == *-dbgsym_* ]] || dpkg-deb -x "$deb" "$2"
        done
        [[ ! -f $2/$xl ]] || cp "$xen/$xl" "$2/$xl.distrib"
        return
    fi
    # A make above us, if any, must not hand us its options and job server.
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
        make -s -C "$1" install DESTDIR="$2" > "$3" 2>&1 || {
        tail -n 20 "$3" >&2
        fail "'make install' failed in '$1'"
    }
}

# The paths of a build tree are compiled into it: a xl of Xen under /usr/local
# that it takes the place of is in /usr/sbin instead.
make_way() { # ROOT
    local xl
    xl=$(xen_program xl)
    [[ $xl == usr/local/* && -f $1/$xl ]] || return 0
    install -D "$xen/$xl" "$1/usr/sbin/xl"
    mkdir -p "$1/usr/bin"
    ln -sfn /usr/sbin/xl "$1/usr/bin/stock-xl"
}

# Installs BUILD into DIR/root and packs it.
make_product() { # BUILD DIR
    local root=$2/root lib dirs
    rm -rf "$root"
    merge_usr "$root"
    install_product "$1" "$root" "$2/log"
    check_glibc "$root" "what is in '$1'"
    find "$root" \( -path '*/include' -o -path '*/share/man' -o \
        -path '*/pkgconfig' -o -name 'xen-numa-rig*' \) -prune -exec rm -rf {} +
    find "$root" \( -name '*.a' -o -name '*.la' \) -delete
    mapfile -t dirs < <(find "$root" -name 'lib*.so*' -printf '%h\n' | sort -u)
    dirs+=("$packages/$lib_dir")
    mapfile -t -O ${#dirs[@]} dirs < <(host_library_dirs)
    copy_libraries "$base/sonames" "$root" "${dirs[@]}"
    # ldconfig's work: dom0 has no cache for the loader.
    find "$root" -name 'lib*.so.*' ! -path "$root/$lib_dir/*" -printf '/%P\n' |
        while read -r lib; do
            ln -sf "$lib" "$root/$lib_dir/"
        done
    find "$root" -path '*/sbin/xl' -printf '/%P\n' > "$2/xl.new"
    make_way "$root"
    archive "$root" "$2/dom0.cpio.new"
    mv "$2/xl.new" "$2/xl"
    mv "$2/dom0.cpio.new" "$2/dom0.cpio"
}

# Sets $product to the directory of the installed build tree BUILD.
cache_product() { # BUILD
    local build
    build=$(cd "$1" && pwd)
    product=$cache/product-$(echo "$build $base" | checksum)
    mkdir -p "$product"
    exec 8> "$product/lock"
    flock 8
    if build_is_newer "$build" "$product/stamp"; then
        # From before make: what changes meanwhile counts as changed.
        touch "$product/stamp.new"
        make_product "$build" "$product" 8>&-
        mv "$product/stamp.new" "$product/stamp"
    fi
    # Still under the lock: another run may be about to replace it.
    cp "$product/dom0.cpio" "$tmp/product.cpio"
    cp "$product/xl" "$tmp/product.xl"
    exec 8>&-
    touch "$product"
}
