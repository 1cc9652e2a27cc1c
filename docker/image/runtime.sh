#!/bin/sh
# runtime.sh OUT NATIVE: lays out what lies below the application: OUT/node gets Node.js without its
# symbols, OUT/base the C and C++ libraries that it and the native packages under NATIVE load, and
# the few files and folders that programs expect. Runs in the builder, on the image's own platform.
set -eu
out=$1 native=$2
USER_ID=65532

install -D -m 755 /dev/null "$out/node/usr/local/bin/node"
strip -o "$out/node/usr/local/bin/node" "$(command -v node)"
ln -s /app/producers/cli/main.js "$out/node/usr/local/bin/rankmill"
[ ! -f /usr/local/LICENSE ] || install -D -m 644 /usr/local/LICENSE "$out/node/usr/share/doc/nodejs/copyright"

mkdir -p "$out/base"
libraries=$(mktemp)
find "$native" \( -name '*.node' -o -name '*.so*' \) -type f -print0 |
  xargs -0 env LD_LIBRARY_PATH="$(dirname "$(find "$native" -name 'libonnxruntime.so*')")" ldd "$(command -v node)" >"$libraries"
if grep 'not found' "$libraries"; then exit 1; fi
# "libm.so.6 => /lib/…/libm.so.6 (0x…)" and "/lib64/ld-linux-x86-64.so.2 (0x…)"
sed -nE 's/^\t([^ ]+ => )?(\/[^ ]+) \(0x.*/\2/p' "$libraries" | sort -u | grep -v "^$native" |
  while read -r library; do
    cp --dereference --parents "$library" "$out/base"
    # Merged or not, /usr is named in one of the two ways; scanners read what distroless images keep.
    package=$(dpkg-query --search "$library" "/usr$library" 2>/dev/null | head -1 | cut -d: -f1)
    [ -n "$package" ] || continue
    mkdir -p "$out/base/var/lib/dpkg/status.d"
    dpkg-query --status "$package" >"$out/base/var/lib/dpkg/status.d/$package"
    [ ! -f "/usr/share/doc/$package/copyright" ] ||
      install -D -m 644 "/usr/share/doc/$package/copyright" "$out/base/usr/share/doc/$package/copyright"
  done

mkdir -p "$out/base/etc"
cp /etc/os-release "$out/base/etc/os-release"
echo 'hosts: files dns' >"$out/base/etc/nsswitch.conf"
printf 'root:x:0:0:root:/root:/nonexistent\nrankmill:x:%s:%s:rankmill:/tmp:/nonexistent\n' "$USER_ID" "$USER_ID" >"$out/base/etc/passwd"
printf 'root:x:0:\nrankmill:x:%s:\n' "$USER_ID" >"$out/base/etc/group"
install -d -m 1777 "$out/base/tmp"
install -d -m 755 "$out/base/data"
# A named volume takes over owner and mode of the folder that it is mounted on. The submitter
# writes to the spool, perhaps as a user of the host.
install -d -m 755 -o "$USER_ID" -g "$USER_ID" "$out/base/models" "$out/base/cache"
install -d -m 1777 "$out/base/spool"
