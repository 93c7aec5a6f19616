#!/usr/bin/env bash
# What a GPU is to show, in under eight minutes on a machine that has PyTorch and Triton:
#
#     benchmarks/on_gpu.sh [--out DIR] [--wheels DIR] [--dry-run]
#
# The tests of every kernel on CUDA, how exact the kernels are, their speed beside rivals, and an epoch of spoken digits and of
# the Heidelberg digits where their recordings are. Rows and logs are left in a folder (build/on_gpu). Each stage has a time
# limit, and all together have one, so that a slow stage cannot eat the others: what a stopped stage has measured is kept.
#
# --wheels DIR  Install what is missing from wheels in this folder, without a network, into DIR's neighbour `site`.
# --dry-run     Where there is no GPU: everything tiny, on the processor, Triton in its interpreter.
#
# The exit code is the sum of the stages that failed: 1 packages, 2 tests, 4 exactness, 8 speed, 16 fsdd, 32 hd. An epoch whose
# recipe or recordings are not here is left out, and has not failed.
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD out=$PWD/build/on_gpu wheels= dry=
while [ $# -gt 0 ]; do
    case $1 in
        --out) mkdir -p "$2" && out=$(cd "$2" && pwd) && shift 2 ;;
        --wheels) wheels=$(cd "$2" && pwd) && shift 2 ;;
        --dry-run) dry=--dry-run && shift ;;
        *) sed -n '2,16s/^# \{0,1\}//p' "$0" && exit 64 ;;
    esac
done
mkdir -p "$out"
rm -f "$out"/*.jsonl "$out"/*.log "$out"/stages.tsv
export PYTHONPATH="$root/src:$root${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1 MPLBACKEND=Agg
[ -n "$dry" ] && export TRITON_INTERPRET=1
all=470 failed=0
SECONDS=0

stage() { # name, bit, limit in seconds, command
    local name=$1 bit=$2 limit=$3 began=$SECONDS left code word
    shift 3
    left=$((all - SECONDS))
    [ "$limit" -gt "$left" ] && limit=$left
    if [ "$limit" -lt 1 ]; then
        code=125
    else
        timeout -k 5 "$limit" "$@" >"$out/$name.log" 2>&1
        code=$?
    fi
    case $code in
        0) word=ok ;;
        124 | 137) word="stopped after $limit s" ;;
        125) word="no time left" ;;
        *) word="failed with $code" ;;
    esac
    [ "$code" -ne 0 ] && failed=$((failed + bit))
    printf '%s\t%s\t%d s\n' "$name" "$word" "$((SECONDS - began))" | tee -a "$out/stages.tsv"
}

if [ -n "$wheels" ]; then
    python3 -m pip install -q --no-index --no-deps --no-compile --target "$wheels/../site" "$wheels"/*.whl \
        >"$out/wheels.log" 2>&1 || failed=$((failed | 1))
    export PYTHONPATH="$PYTHONPATH:$wheels/../site"
fi

stage packages 1 60 python3 - "$out" "$dry" <<'PYTHON'
import importlib.util, json, pathlib, platform, sys

needed = "torch triton numpy scipy numba jaxtyping pydantic soundfile h5py requests platformdirs typer psutil pytest hypothesis beartype"
missing = [name for name in needed.split() if importlib.util.find_spec(name) is None]
if missing:
    sys.exit(f"missing packages: {' '.join(missing)}: bring their wheels (--wheels)")
import torch, triton

if not sys.argv[2] and not torch.cuda.is_available():
    sys.exit("torch sees no CUDA device: use --dry-run")
gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
machine = {"gpu": gpu, "torch": torch.__version__, "triton": triton.__version__, "python": platform.python_version()}
pathlib.Path(sys.argv[1], "machine.json").write_text(json.dumps(machine) + "\n")
print(machine)
PYTHON
if [ $((failed & 1)) -ne 0 ]; then
    cat "$out/packages.log"
    exit 1
fi
# One order of buckets of each kind: others are compiled anew, seconds each.
some="9x2x130x4 or 2x3x5 or 7x3x130 or chunks or comes_in"
[ -n "$dry" ] && some="2x3x5"
stage tests 2 130 python3 -m pytest -q -p no:cacheprovider -k "$some" \
    tests/kernels/test_triton_backend.py tests/kernels/test_triton_cells.py
stage exactness 4 60 python3 benchmarks/on_gpu.py exactness --out "$out" $dry
stage speed 8 130 python3 benchmarks/on_gpu.py speed --out "$out" $dry
stage fsdd 16 60 python3 benchmarks/on_gpu.py epoch fsdd --out "$out" $dry
stage hd 32 60 python3 benchmarks/on_gpu.py epoch hd --out "$out" $dry

echo
tail -qn 1 "$out/tests.log"
cat "$out"/*.jsonl | python3 -c '
import json, sys

for row in map(json.loads, sys.stdin):
    about = ("bench", "command", "seed", "versions", "version", "batch", "rounds", "shapes")
    print(row["bench"], *(f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in row.items() if k not in about))
'
echo "exit code $failed, rows in $out, $SECONDS s"
exit "$failed"
