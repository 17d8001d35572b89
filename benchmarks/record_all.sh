#!/usr/bin/env bash
# Measure and record everything that the book prints of this machine, and what needs a GPU or many hours to be printed.
#
#   bash benchmarks/record_all.sh path/to/ESC-10 runs
#
# Stopped at any moment and called again, it goes on where it was. The quick measurements come first, the paper's 600
# and 1,200 epochs last. SEEDS="0" makes one seed of each instead of three. On several GPUs,
# TRAIN="torchrun --nproc-per-node 8 -m envnet_tutorial train --share folds" gives each GPU folds of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
data=$(realpath "$1") out=$(realpath --canonicalize-missing "$2")
train=${TRAIN:-python -m envnet_tutorial train}
seeds=${SEEDS:-0 1 2}
mkdir -p "$out"
device=$(python -c 'import torch; print("cuda" if torch.cuda.is_available() else "cpu")')

once() {  # file for what a command prints, then the command: run it unless it has been run to its end
    local file=$out/$1
    shift
    [ -e "$file" ] || { "$@" | tee "$file.part" && mv "$file.part" "$file"; }
}

fold_runs() {  # name, then what train is told: five folds for each seed, and a recording of the first seed's run
    local name=$1 seed begun
    shift
    for seed in $seeds; do
        begun=$SECONDS
        once "$name-seed$seed.txt" $train --data "$data" --folds all --seed "$seed" --out "$out/$name-seed$seed" \
            --resume --quiet "$@"
        echo "$name, seed $seed: $((SECONDS - begun)) s"
    done
    once "$name-recorded.txt" python -m scripts.recording "$out/$name-seed${seeds%% *}" \
        --name "$name-$device" --data-name ESC-10
}

once limits.txt python -m benchmarks.limits --measure --device "$device"
once throughput.txt python -m benchmarks.throughput --rounds 10 --device "$device" --out "$out/throughput.json" \
    --steps $([ "$device" = cuda ] && echo 20 || echo 1)
if [ "$device" = cuda ]; then  # where half the numbers' size is twice the speed, against mixing on the processor
    once throughput-mixed.txt python -m benchmarks.throughput --rounds 10 --device cuda --steps 20 \
        --precision bfloat16 --mix bc --out "$out/throughput-mixed.json"
    once lessons.txt python -m pytest --timeout 900 --nbval-lax --nbval-current-env notebooks
fi
fold_runs fast --network envnet-pooled-norm --preset fast --keep-filters 10
fold_runs fast-between-class --network envnet-pooled-norm --preset fast --mix bc --keep-filters 20
fold_runs fast-paper-order --network envnet-reordered --preset fast --keep-filters 10
fold_runs short --network envnet-pooled-norm --preset short --keep-filters 10
fold_runs short-between-class --network envnet-pooled-norm --preset short --mix bc --keep-filters 20
fold_runs short-paper-order --network envnet-reordered --preset short --keep-filters 10
once ablation.txt python -m benchmarks.ablation "$data" --folds 1,2,3,4,5 --seeds 3 --out "$out/ablation" --quiet \
    --name "ablation-$device" --data-name ESC-10
once controls.txt python -m scripts.controls "$data" --data-name ESC-10 --out "$out/controls" --quiet \
    --name "controls-$device"
fold_runs paper-recipe --network envnet-pooled-norm --preset paper --keep-filters 100
fold_runs paper --network envnet-reordered --preset paper --keep-filters 100
fold_runs paper-between-class --network envnet-reordered --preset paper --mix bc --keep-filters 200
