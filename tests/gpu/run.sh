#!/bin/bash
# Everything that a GPU is asked, in at most eight minutes: bash tests/gpu/run.sh OUT
#
# Corner cases and one digest of every variant of a kernel, what tuning chooses, and tokens a second at the shapes of
# 135M, 1B and 8B parameters, beside PyTorch in float16 and the card's bandwidth. OUT is a directory; the GPU is the first
# that WebGPU finds. Without one the same runs on a processor's adapter, patiently and with a tiny shape. PYTHON says which Python has
# the package (.venv/bin/python, else python3).
set -u
cd "$(dirname "$0")/../.."
[ $# -eq 1 ] || { echo 'usage: bash tests/gpu/run.sh OUT' >&2; exit 2; }
mkdir -p "$1" && OUT=$(cd "$1" && pwd) || exit 2
PYTHON=${PYTHON:-$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)}
export PYTHONPATH=$PWD
STARTED=$SECONDS SECONDS_ALLOWED=480 PATIENCE=1 FAILED=0

# NVIDIA's driver without the file by which the Vulkan loader finds it, as in many containers.
if ls /usr/lib/*/libGLX_nvidia.so.0 >/dev/null 2>&1 && ! ls /usr/share/vulkan/icd.d/nvidia* /etc/vulkan/icd.d/nvidia* >/dev/null 2>&1; then
  echo '{"file_format_version": "1.0.0", "ICD": {"library_path": "libGLX_nvidia.so.0", "api_version": "1.3.0"}}' >"$OUT/nvidia_icd.json"
  export VK_ADD_DRIVER_FILES=$OUT/nvidia_icd.json
fi

# run NAME SECONDS COMMAND...: standard output to NAME, what went wrong beside it
run() {
  local name=$1 seconds=$(($2 * PATIENCE)) left=$((SECONDS_ALLOWED - SECONDS + STARTED)); shift 2
  [ $seconds -le $left ] || seconds=$left
  if [ $seconds -le 0 ]; then echo "$name: no time is left" | tee -a "$OUT/failed.txt"; FAILED=1; return; fi
  local began=$SECONDS
  if timeout $seconds "$@" >"$OUT/$name" 2>"$OUT/$name.err"; then [ -s "$OUT/$name.err" ] || rm -f "$OUT/$name.err"
  else echo "$name: exit code $? after $((SECONDS - began)) s: $(tail -1 "$OUT/$name.err")" | tee -a "$OUT/failed.txt"; FAILED=1; fi
  echo "$name: $((SECONDS - began)) s"
}

rm -f "$OUT/failed.txt"
{ date -u; uname -srm; nvidia-smi 2>/dev/null || lspci 2>/dev/null | grep -i -e vga -e display; } >"$OUT/machine.txt"
run adapters.json 60 "$PYTHON" -m inference adapters --json
FOUND=$("$PYTHON" -c 'import json, sys
rows = [row for row in json.load(open(sys.argv[1])) if row["backend"] == "wgpu"]
best = next((row for row in rows if row["type"] != "CPU"), rows[0])
print(best["type"], best["name"], sep="\t")' "$OUT/adapters.json") || { echo 'there is no adapter' >&2; exit 1; }
TYPE=${FOUND%%$'\t'*} ADAPTER=${FOUND#*$'\t'}
echo "$ADAPTER ($TYPE)"
if [ "$TYPE" = CPU ]; then SECONDS_ALLOWED=3600 PATIENCE=6 SHAPES=tests/gpu/tiny.json SIZES='-p 8 -n 2 -b 1,2 --rounds 1'
else SHAPES='smollm2 llama-3.2-1b llama-3-8b' SIZES='-p 128,512 -n 32,128 -b 1,8 --rounds 3'; fi

run variants.json 120 "$PYTHON" tests/gpu/variants.py "$ADAPTER"
run tune.json 90 "$PYTHON" -m inference tune --adapter "$ADAPTER" --json
for shape in $SHAPES; do
  name=$(basename "$shape" .json)
  run "bench-$name.json" 120 "$PYTHON" -m inference bench --shape "$shape" $SIZES --adapter "$ADAPTER" --json
  if "$PYTHON" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
    run "torch-$name.json" 60 "$PYTHON" tests/gpu/torch_float16.py "$shape" $SIZES
  fi
done
"$PYTHON" tests/gpu/summary.py "$OUT" >"$OUT/summary.md" || FAILED=1
cat "$OUT/summary.md"
echo "$((SECONDS - STARTED)) s"
exit $FAILED
