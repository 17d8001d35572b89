#!/usr/bin/env bash
# Make every recorded run of the book again, and more seeds of it, on this machine's GPU or processor.
#
#   bash benchmarks/record_all.sh path/to/ESC-10 runs
#
# Stopped at any moment and called again, it goes on where it was. `torchrun --nproc-per-node N` in TRAIN with
# `--share folds` gives each of N GPUs folds of its own.
set -euo pipefail
data=$1 out=$2
train=${TRAIN:-python -m envnet_tutorial train}
seeds=${SEEDS:-0 1 2}

fold_runs() {  # name, then what train is told
    local name=$1
    shift
    for seed in $seeds; do
        $train --data "$data" --folds all --seed "$seed" --out "$out/$name-seed$seed" --resume --quiet "$@"
    done
}

fold_runs standard --network envnet-pooled-norm --preset fast --keep-filters 10
fold_runs between-class --network envnet-pooled-norm --preset fast --mix bc --keep-filters 20
fold_runs paper-order --network envnet-reordered --preset fast --keep-filters 10
fold_runs paper --network envnet-reordered --preset paper --keep-filters 50
fold_runs paper-between-class --network envnet-reordered --preset paper --mix bc --keep-filters 100
python -m scripts.controls "$data" --data-name ESC-10 --out "$out/controls" --name esc10-controls-again --quiet
python -m benchmarks.ablation "$data" --folds 1,2,3,4,5 --seeds 3 --out "$out/ablation" --quiet
