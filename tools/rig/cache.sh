# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What is slow to make and the same for every run, sourced by rig:
#   packages-KEY/    the Debian packages of a list, unpacked
#   packages-KEY.is  the path of such a directory, by apt when it was last asked
#   base-KEY/        made from them: xen, vmlinux, dom0.cpio, linux.cpio (what
#                    guests boot of Debian's), hvm.cpio (what HVM guests are
#                    made of), sonames
#   libvirt-KEY/     libvirt.cpio: what --with-libvirt adds
#   product-KEY/     the built tree, or our packages, installed into dom0.cpio
# A KEY is a checksum of what the directory was made from. Everything is made
# in a temporary directory under a lock and renamed into place, so a reader
# needs no lock.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/libxl-numa-rig
readonly lib_dir=lib/x86_64-linux-gnu

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

# What no run has used for a month: an older package, a build tree long gone.
cache_expire() {
    find "$cache" -mindepth 1 -maxdepth 1 -type d -mtime +30 -exec rm -rf {} +
}

checksum() {
    sha256sum | cut -c 1-16
}

list() { # FILE: the lines of a package list
    sed 's/#.*//; s/[[:space:]]*$//; /^$/d' "$1"
}

# --- Debian packages ---------------------------------------------------------

# The names in LIST, the kernel's metapackage replaced.
package_names() { # LIST
    local kernel
    kernel=$(apt-cache depends linux-image-amd64 2> /dev/null |
             awk '$1 == "Depends:" { print $2; exit }')
    list "$rig_dir/$1" | sed "s/^linux-image-amd64\$/${kernel:-&}/"
}

# Does FILE say what apt would? apt takes two seconds, with nothing new to say
# before it has another list.
apt_is_as_in() { # FILE
    [[ -d $(cat "$1" 2> /dev/null) ]] &&
        [[ -z $(find /etc/apt /var/lib/apt/lists -newer "$1" -print -quit \
            2>&1) ]]
}

# The directory of what is made of the packages in LIST. Its name says which
# list, what else KEY stands for, and which versions; so that without apt's
# lists the newest that we have will do.
packages_dir() { # NAME LIST [KEY]
    local list_key said dir
    list_key=$({ list "$rig_dir/$2"; echo "${3:-}"; } | checksum)
    said=$cache/$1-$list_key.is
    if ! apt_is_as_in "$said"; then
        dir=$(packages_by_apt "$2" "$cache/$1-$list_key") || exit
        echo "$dir" > "$said.$$"
        mv "$said.$$" "$said"
    fi
    cat "$said"
}

packages_by_apt() { # LIST DIR-WITHOUT-VERSION
    local version_key uris dirs
    # shellcheck disable=SC2046 # package names have no spaces
    if uris=$(apt-get download --print-uris $(package_names "$1") \
                  2> /dev/null) &&
       [[ -n $uris ]]; then
        version_key=$(awk '{ print $2, $4 }' <<< "$uris" | checksum)
        echo "$2-$version_key"
        return
    fi
    mapfile -t dirs < <(ls -dt "$2"-* 2> /dev/null)
    ((${#dirs[@]} > 0)) ||
        fail "apt knows not all packages of $1: run tools/deps"
    echo "${dirs[0]}"
}

# Unpacks the package file $1 into $2; of a kernel, only what dom0 uses.
package_unpack() {
    local modules='./lib/modules/*/kernel/drivers'
    if [[ $1 == */linux-image-* ]]; then
        dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --wildcards \
            './boot/vmlinuz-*' './lib/modules/*/modules.*' \
            "$modules/xen" "$modules/virtio" "$modules/char/virtio_console.ko"
    else
        dpkg-deb -x "$1" "$2"
    fi
}

# The packages in LIST, as files in DIR/deb.
download_packages() { # DIR LIST
    talk "downloading the packages of $2 (once)"
    mkdir "$1/deb"
    # As root, apt would want a directory that its own user may write.
    # shellcheck disable=SC2046 # package names have no spaces
    (cd "$1/deb" && apt-get download -q -o APT::Sandbox::User=root \
        $(package_names "$2")) > "$tmp/apt" 2>&1 || {
        cat "$tmp/apt" >&2
        fail "cannot download the packages of $2: run tools/deps," \
             "then try again"
    }
}

make_packages() { # DIR LIST
    local deb
    download_packages "$1" "$2"
    for deb in "$1"/deb/*.deb; do
        package_unpack "$deb" "$1"
    done
    rm -r "$1/deb"
    [[ ! -d $1/lib/modules ]] || depmod -b "$1" "$(ls "$1/lib/modules")"
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

# Makes $2, the plain ELF file in the compressed kernel $1: Xen would take ten
# seconds of emulated time to decompress it, at every start of a guest.
extract_kernel() {
    local offset
    for offset in $(LC_ALL=C grep -abo $'\xfd7zXZ' "$1" | cut -d: -f1); do
        if xz -dc --single-stream < <(tail -c "+$((offset + 1))" "$1") \
               > "$2" 2> /dev/null &&
           strip -s "$2" 2> /dev/null; then
            return
        fi
    done
    fail "no xz payload in '$1'"
}

# Packs the directory $1 into the archive $2, everything owned by root.
archive() {
    (cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
        cpio --quiet -0 -o -H newc -R 0:0) > "$2"
}

install_busybox() { # PACKAGES ROOT
    local applet
    mkdir -p "$2"/{bin,sbin,usr/bin,usr/sbin}
    cp "$1/bin/busybox" "$2/bin/"
    "$2/bin/busybox" --list-full | grep -vx bin/busybox |
        while read -r applet; do
            [[ ! -d $2/${applet%/*} ]] || ln -s /bin/busybox "$2/$applet"
        done
}

# The toolstack stays where Debian has it; its directory ends dom0's PATH.
install_toolstack() { # PACKAGES ROOT
    local bin tool
    bin=$(cd "$1" && echo usr/lib/xen-*/bin)
    mkdir -p "$2/$bin"
    for tool in xl xenstored xenconsoled xenconsole xen-init-dom0 xentop \
                libxl-save-helper xen-diag xenperf xenpm lsevtchn; do
        cp "$1/$bin/$tool" "$2/$bin/"
        ln -sfn "/$bin/$tool" "$2/usr/sbin/$tool"
    done
    ln -s "/$bin/xl" "$2/usr/bin/stock-xl"
    cp -P "$1"/usr/bin/xenstore-[^c]* "$1/usr/bin/xenstore-chmod" \
        "$1/usr/bin/strace" "$2/usr/bin/"
}

# Modules, and the order in which dom0's init loads them.
install_modules() { # PACKAGES ROOT
    local kernel module ko
    kernel=$(ls "$1/lib/modules")
    mkdir -p "$2/lib/modules"
    for module in virtio_pci virtio_console \
                  xen-evtchn xen-gntdev xen-gntalloc xen-privcmd xenfs; do
        modprobe -d "$1" -S "$kernel" --show-depends "$module"
    done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
        while read -r ko; do
            cp "$ko" "$2/lib/modules/"
            echo "${ko##*/}" >> "$2/lib/modules/order"
        done
}

# What HVM guests are made of: the device model, and a file that is hvmloader,
# Debian's kernel and its root in one (hvm/boot.S).
make_hvm() { # PACKAGES DIR
    local root=$tmp/hvm
    mkdir -p "$root"/{boot,usr/libexec,usr/share/qemu/keymaps}
    cp "$1/usr/libexec/xen-qemu-system-i386" "$root/usr/libexec/"
    cp "$1/usr/share/qemu/keymaps/en-us" "$root/usr/share/qemu/keymaps/"
    copy_libraries "$2/sonames" "$root" \
        "$1/$lib_dir" "$1/usr/$lib_dir"
    install_hvm_boot "$1" "$2" "$root/boot"
    archive "$root" "$2/hvm.cpio"
    rm -r "$root"
}

# Prints where the last segment of an ELF file ends in memory.
end_of_segments() { # FILE
    local address size end=0
    while read -r address size; do
        ((address + size <= end)) || end=$((address + size))
    done < <(readelf -lW "$1" | awk '$1 == "LOAD" { print $4, $6 }')
    echo "$end"
}

# A kernel clears its .bss itself, hvmloader counts on it.
install_hvm_boot() { # PACKAGES BASE DIR
    local parts=$tmp/hvm-parts loader
    loader=$(echo "$1"/usr/lib/xen-*/boot/hvmloader)
    mkdir "$parts"
    objcopy -O binary "$loader" "$parts/hvmloader.bin"
    truncate -s $(($(end_of_segments "$loader") - 0x100000)) \
        "$parts/hvmloader.bin"
    objcopy -O binary -R .bss -R .brk -R .init.scratch "$2/vmlinux" \
        "$parts/kernel.bin"
    (cd "$parts" && cpio -i --quiet --to-stdout boot/initramfs) \
        < "$2/linux.cpio" > "$parts/initramfs"
    gcc -m32 -c -o "$parts/boot.o" -Wa,-I"$parts" "$rig_dir/hvm/boot.S"
    ld -m elf_i386 --no-warn-rwx-segments -T "$rig_dir/hvm/boot.ld" \
        --defsym kernel_end="$(end_of_segments "$2/vmlinux")" \
        -o "$3/hvm-linux" "$parts/boot.o"
    objcopy --dump-section .bios="$3/hvm-bios" "$3/hvm-linux"
    strip -s -R .bios "$3/hvm-linux"
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

# The guest kernel of ours, against the headers of the unpacked libxen-dev.
install_guest_kernel() { # PACKAGES ROOT
    gcc -std=gnu11 -O2 -Wall -Wextra -ffreestanding -fno-stack-protector \
        -fno-pic -no-pie -fcf-protection=none -fno-asynchronous-unwind-tables \
        -mgeneral-regs-only -mno-red-zone -nostdlib -static \
        -D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__ \
        -I "$1/usr/include" -Wl,--build-id=none -Wl,-z,noexecstack \
        -Wl,--no-warn-rwx-segments -T "$rig_dir/guest/guest.ld" \
        -o "$2/boot/guest" "$rig_dir"/guest/*.[Sc]
    make_hvm_guest "$2/boot/guest" "$2/boot/guest-hvm"
    strip -s "$2/boot/guest"
}

# The same instead of hvmloader: an ELF file of 32 bits, entered as PVH is, and
# without the notes of a kernel.
make_hvm_guest() { # GUEST FILE
    local entry
    entry=$(nm "$1" | awk '$3 == "pvh_start" { print "0x" $1 }')
    objcopy -S -O elf32-i386 -R .note.Xen --set-start "$entry" "$1" "$2"
}

# Linked statically, which is what makes it quick to start in dom0.
install_rig_xen() { # PACKAGES ROOT
    gcc -std=gnu11 -O2 -Wall -Wextra -static -I "$1/usr/include" \
        -o "$2/usr/bin/rig-xen" "$rig_dir/dom0/rig-xen.c" \
        -L "$1/usr/$lib_dir" -lxenctrl -lxenstore -lxencall \
        -lxenforeignmemory -lxendevicemodel -lxenevtchn -lxengnttab \
        -lxentoolcore -lxentoollog
    strip -s "$2/usr/bin/rig-xen"
}

# To be preloaded: what it defines stands in for libxencall's.
install_fault() { # PACKAGES ROOT
    mkdir -p "$2/usr/lib/rig"
    gcc -std=gnu11 -O2 -Wall -Wextra -shared -fPIC -I "$1/usr/include" \
        -o "$2/usr/lib/rig/fault.so" "$rig_dir/dom0/fault.c"
    strip --strip-unneeded "$2/usr/lib/rig/fault.so"
}

install_skeleton() { # ROOT
    mkdir -p "$1"/{boot,dev,etc/xen,lib64,proc,rig,root,sys,tmp} \
             "$1"/run/{lock,xen,xenstored} \
             "$1"/var/{lib/xen,lib/xenstored,log/xen/console}
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
    install_toolstack "$packages" "$root"
    install_modules "$packages" "$root"
    install_guest_kernel "$packages" "$root"
    install_rig_xen "$packages" "$root"
    install_fault "$packages" "$root"
    extract_kernel "$packages"/boot/vmlinuz-* "$1/vmlinux"
    make_linux "$packages" "$1"
    # The loader; and what glibc loads by itself, in pthread_cancel.
    mkdir -p "$root/$lib_dir"
    cp -L "$packages/$lib_dir"/{ld-linux-x86-64.so.2,libgcc_s.so.1} \
        "$root/$lib_dir/"
    copy_libraries /dev/null "$root" \
        "$packages/$lib_dir" "$packages/usr/$lib_dir"
    present_libraries "$root" > "$1/sonames"
    make_hvm "$packages" "$1"
    archive "$root" "$1/dom0.cpio"
    # QEMU loads plain ELF, not a compressed one.
    zcat "$packages"/boot/xen-*.gz > "$1/xen"
    rm -r "$root"
}

# Sets $packages and $base, making them if need be.
cache_base() {
    mkdir -p "$cache" || fail "cannot make '$cache'"
    cache_expire
    packages=$(packages_dir packages dom0-packages)
    cache_make "$packages" make_packages dom0-packages
    base=$cache/base-$({ echo "$packages"; cat "$rig_dir/cache.sh" \
        "$rig_dir"/{guest,hvm}/* "$rig_dir"/dom0/*.c; } | checksum)
    cache_make "$base" make_base
}

# --- libvirt -----------------------------------------------------------------

# The daemon with its driver for Xen alone: those that are not there it does
# without.
install_libvirt() { # PACKAGES ROOT
    local driver=usr/$lib_dir/libvirt/connection-driver
    mkdir -p "$2"/{etc/libvirt,usr/bin,usr/sbin,usr/share/libvirt,"$driver"}
    cp "$1/usr/sbin/libvirtd" "$2/usr/sbin/"
    cp "$1/usr/bin/virsh" "$2/usr/bin/"
    cp "$1/$driver/libvirt_driver_libxl.so" "$2/$driver/"
    cp -r "$1/usr/share/libvirt/cpu_map" "$2/usr/share/libvirt/"
    # libvirtd does not start unless the processor has all that one of its
    # models has. TCG's has no VME, which even a 486 has there.
    sed -i /vme/d "$2/usr/share/libvirt/cpu_map/x86_486.xml"
    install -m 644 "$rig_dir"/libvirt/*.conf "$2/etc/libvirt/"
}

make_libvirt() { # DIR PACKAGES
    local root=$tmp/libvirt
    talk "building libvirt's part of dom0 (once)"
    mkdir "$root"
    install_libvirt "$2" "$root"
    copy_libraries "$base/sonames" "$root" "$2/$lib_dir" "$2/usr/$lib_dir" \
        "$packages/$lib_dir" "$packages/usr/$lib_dir"
    archive "$root" "$1/libvirt.cpio"
    rm -r "$root"
}

# Sets $libvirt, making it if need be.
cache_libvirt() {
    local unpacked
    unpacked=$(packages_dir packages libvirt-packages)
    cache_make "$unpacked" make_packages libvirt-packages
    libvirt=$cache/libvirt-$({ echo "$base $unpacked"
        cat "$rig_dir"/libvirt/*; } | checksum)
    cache_make "$libvirt" make_libvirt "$unpacked"
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

# Installs the build tree, or else the packages that are there, into ROOT.
install_product() { # BUILD ROOT LOG
    local deb
    if [[ ! -f $1/Makefile ]]; then
        for deb in "$1"/*.deb; do
            [[ $deb == *-dbgsym_* ]] || dpkg-deb -x "$deb" "$2"
        done
        return
    fi
    # A make above us, if any, must not hand us its options and job server.
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
        make -s -C "$1" install DESTDIR="$2" > "$3" 2>&1 || {
        tail -n 20 "$3" >&2
        fail "'make install' failed in '$1'"
    }
}

# Installs BUILD into DIR/root and packs it.
make_product() { # BUILD DIR
    local root=$2/root lib dirs
    rm -rf "$root"
    mkdir -p "$root"
    install_product "$1" "$root" "$2/log"
    find "$root" \( -path '*/include' -o -path '*/share/man' -o \
        -path '*/pkgconfig' \) -prune -exec rm -rf {} +
    find "$root" \( -name '*.a' -o -name '*.la' \) -delete
    mapfile -t dirs < <(find "$root" -name 'lib*.so*' -printf '%h\n' | sort -u)
    mapfile -t -O ${#dirs[@]} dirs < <(PATH=$PATH:/sbin ldconfig -p |
        awk '/x86-64/ { sub("/[^/]*$", "", $NF); print $NF }' | sort -u)
    copy_libraries "$base/sonames" "$root" "${dirs[@]}"
    # ldconfig's work: dom0 has no cache for the loader.
    find "$root" -name 'lib*.so.*' ! -path "$root/$lib_dir/*" -printf '/%P\n' |
        while read -r lib; do
            ln -sf "$lib" "$root/$lib_dir/"
        done
    find "$root" -path '*/sbin/xl' -printf '/%P\n' > "$2/xl.new"
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
