#!/usr/bin/env python3
"""Prints the pins of src/models/*/*-wheels.ts for wheels in a folder.

    pip download --no-deps --only-binary :all: --platform manylinux_2_28_x86_64 \
      --platform manylinux_2_27_x86_64 --platform manylinux2014_x86_64 --python-version 3.12 \
      --dest WHEELS onnxruntime-gpu==1.30.0 nvidia-cublas==13.1.0.3 \
      nvidia-cuda-runtime==13.0.96 nvidia-curand==10.4.0.35
    pip download --no-deps --only-binary :all: --platform manylinux_2_28_x86_64 \
      --python-version 3.12 --dest WHEELS openvino==2026.4.1
    pip download --no-deps --only-binary :all: --platform manylinux_2_35_aarch64 \
      --python-version 3.12 --dest WHEELS openvino==2026.4.1
    python3 docker/pin-wheels.py WHEELS

A wheel is a zip archive that never changes, so the place of a file inside it is pinned as well:
taking it out needs no zip reader.
"""

import hashlib
import json
import pathlib
import sys
import zipfile

WANTED = (
    "libonnxruntime_providers_cuda.so",
    "libonnxruntime_providers_shared.so",
    "libcublas.so.13",
    "libcublasLt.so.13",
    "libcudart.so.13",
    "libcurand.so.10",
    "LICENSE",
    "License.txt",
    "ThirdPartyNotices.txt",
    "libopenvino.so.2641",
    "libopenvino_c.so.2641",
    "libopenvino_intel_cpu_plugin.so",
    "libopenvino_arm_cpu_plugin.so",
    "libopenvino_onnx_frontend.so.2641",
    "libopenvino_ir_frontend.so.2641",
    "libtbb.so.12",
    "onednn_third-party-programs.txt",
    "onetbb_third-party-programs.txt",
    "runtime-third-party-programs.txt",
)


def data_offset(wheel, entry):
    """Behind the local header, whose name and extra field have lengths of their own."""
    wheel.seek(entry.header_offset)
    header = wheel.read(30)
    name, extra = int.from_bytes(header[26:28], "little"), int.from_bytes(header[28:30], "little")
    return entry.header_offset + 30 + name + extra


def pins(path):
    with path.open("rb") as wheel, zipfile.ZipFile(path) as archive:
        digest = hashlib.file_digest(wheel, "sha256").hexdigest()
        files = [
            {
                "path": entry.filename,
                "offset": data_offset(wheel, entry),
                "compressedBytes": entry.compress_size,
                "bytes": entry.file_size,
                "sha256": hashlib.sha256(archive.read(entry)).hexdigest(),
            }
            for entry in archive.infolist()
            if pathlib.PurePosixPath(entry.filename).name in WANTED
        ]
    return {"name": path.name, "bytes": path.stat().st_size, "sha256": digest, "files": files}


print(json.dumps([pins(path) for path in sorted(pathlib.Path(sys.argv[1]).glob("*.whl"))], indent=2))
