#!/bin/sh
# lay-out.sh ROOT WHEELS OUT: unpacks the wheels as `rankmill setup cuda` does, with the program that is
# in the image under ROOT, and sorts what comes of it into layers below OUT: nvidia (what changes with
# CUDA) and provider (what changes with ONNX Runtime). Fails unless the image's own loader finds every
# library that the provider names, but for the driver's.
set -eu
root=$1 wheels=$2 out=$3
folder=usr/local/lib/rankmill-cuda
runtime=app/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1

node "$root/app/producers/cli/main.js" setup cuda --with-libraries --from "$wheels" --cuda-dir "$root/$folder"
# In an image nothing is updated beside it: no second copy of the runtime.
ln -sf "/$runtime" "$root/$folder/libonnxruntime.so.1"

# The work of `ldd`, inside the image, where there is no shell to run it.
missing=$(python3 -c 'import os, sys
os.chroot(sys.argv[1])
os.chdir("/")
os.execve(sys.argv[2], sys.argv[2:], {"LD_TRACE_LOADED_OBJECTS": "1"})' \
  "$root" /lib64/ld-linux-x86-64.so.2 --library-path "/$folder" "/$folder/libonnxruntime_providers_cuda.so" |
  sed -n 's/^[[:space:]]*\([^ ]*\) => not found.*/\1/p' | sort -u)
if [ "$missing" != libcuda.so.1 ]; then
  echo "beside the driver's libcuda.so.1 these are not found: $missing" >&2
  exit 1
fi

install -d "$out/nvidia/$folder/licenses" "$out/provider/$folder/licenses"
mv "$root/$folder"/libonnxruntime* "$out/provider/$folder/"
mv "$root/$folder"/licenses/onnxruntime-* "$out/provider/$folder/licenses/"
mv "$root/$folder"/*.so.* "$out/nvidia/$folder/"
mv "$root/$folder"/licenses/nvidia-* "$out/nvidia/$folder/licenses/"
chmod -R u=rwX,go=rX "$out"
