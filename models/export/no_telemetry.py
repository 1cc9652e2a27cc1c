"""Imported before onnxruntime, which from 1.29 on sends telemetry unless told not to as it loads."""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
