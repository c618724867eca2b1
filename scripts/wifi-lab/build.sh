#!/bin/sh
# Builds the WiFi lab's kernel, initrd and root image from Debian packages into the cache folder:
#   build.sh CACHE_DIR
# Each stage leaves a stamp that names its inputs and is skipped while they are unchanged.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=$1
mkdir -p "$cache"
cd "$cache"

packages=network-manager,wpasupplicant,hostapd,iw,rfkill,dnsmasq-base,dbus,curl,iproute2,iputils-ping,kmod,procps
# Libraries of the firmware's host build, so that the real virtual board can run behind the AP.
packages=$packages,libstdc++6,libatomic1,libasan8,libubsan1,libcjson1,libmbedtls14,libhttp-parser2.9
packages=$packages,socat,openssl,ca-certificates,libpam-systemd-

# stage NAME KEY COMMAND: runs COMMAND unless NAME was already made from KEY.
stage() {
  if [ "$(cat "$1.stamp" 2>/dev/null)" = "$2" ]; then return 0; fi
  echo "wifi-lab: making $1" >&2
  rm -f "$1.stamp"
  "$3"
  echo "$2" >"$1.stamp"
}

make_kernel() {
  rm -rf debs kernel
  mkdir -p debs kernel
  (cd debs && apt-get download -qq "$kernel_package")
  dpkg-deb -x debs/"$kernel_package"_*.deb kernel
  rm -rf debs
  # An ELF kernel boots 3 s sooner under emulation than a compressed one.
  python3 "$here/vmlinux-extract.py" "kernel/boot/vmlinuz-$kernel" vmlinux
  depmod -b kernel "$kernel"
  for module in mac80211_hwsim overlay squashfs virtio_blk virtio_pci 9p 9pnet_virtio veth ccm cmac gcm ctr; do
    modprobe -d kernel -S "$kernel" --show-depends "$module"
  done | awk '/^insmod/ && !seen[$2]++ { print $2 }' >modules.txt
}

make_root() {
  rm -rf root
  mmdebstrap --quiet --variant=essential --mode=root \
    --aptopt='Apt::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/i18n/*' \
    --include="$packages" bookworm root "$apt_source"
  rm -rf root/var/cache/apt/* root/var/lib/apt/lists/*
}

make_image() {
  modules=root/lib/modules/$kernel
  rm -rf root/lib/modules initrd
  mkdir -p "$modules" initrd/bin initrd/modules initrd/proc initrd/sys initrd/dev initrd/ro initrd/rw initrd/new
  while read -r file; do
    relative=${file##*/"$kernel"/}
    mkdir -p "$modules/${relative%/*}"
    cp "$file" "$modules/$relative"
  done <modules.txt
  cp "kernel/lib/modules/$kernel"/modules.builtin* "kernel/lib/modules/$kernel/modules.order" "$modules/"
  depmod -b root "$kernel"
  install -D -m755 "$(command -v node)" root/usr/local/bin/node
  install -m755 "$(command -v busybox)" root/usr/bin/busybox
  install -m755 "$here/guest/init" root/lab-init
  mkdir -p root/repo root/job
  for applet in mount umount poweroff mountpoint usleep; do
    [ -e "root/usr/bin/$applet" ] || [ -e "root/usr/sbin/$applet" ] || ln -sf busybox "root/usr/bin/$applet"
  done
  rm -f root.sqfs
  mksquashfs root root.sqfs -comp lz4 -noappend -quiet -no-progress
  cp "$(command -v busybox)" initrd/bin/busybox
  install -m755 "$here/guest/initrd-init" initrd/init
  for name in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk squashfs overlay; do
    file=$(grep "/$name.ko" modules.txt || true)
    if [ -n "$file" ]; then
      cp "$file" initrd/modules/
      echo "${file##*/}" >>initrd/modules/order
    fi
  done
  (cd initrd && find . | cpio -o -H newc -R 0:0 --quiet) >initrd.cpio
  rm -rf initrd
}

kernel_package=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image-/ { print $2; exit }')
kernel=${kernel_package#linux-image-}
apt_source=/etc/apt/sources.list.d/debian.sources
[ -e "$apt_source" ] || apt_source=/etc/apt/sources.list

stage kernel "$kernel" make_kernel
stage root "$packages" make_root
stage image "$(cat kernel.stamp root.stamp "$here/guest/init" "$here/guest/initrd-init" | sha256sum) $(node --version)" make_image
