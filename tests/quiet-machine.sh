#!/bin/bash
# What can be shown on a quiet machine only: one that nobody else uses for as long as it runs. From the root of a clone, after
# dotnet build -c Release. Usage: tests/quiet-machine.sh [aa|slow|load|stop|gates|until|overhead|spin]...; without words all of them.
# Everything goes below artifacts/quiet; each part ends with a line that says what was expected and what came.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/artifacts/bin/Llama3Perf.Benchmarks/release
suite=$build/Llama3Perf.Benchmarks
out=$root/artifacts/quiet
mkdir -p "$out"

# Outside the clone: BenchmarkDotNet wants each project once below it.
copy=${TMPDIR:-/tmp}/llama3perf-slowed

say() { echo "== $*"; }

# Seconds and exit code of a command, whose output goes to a file.
timed() {
    local log=$1 begin=$SECONDS
    shift
    "$@" > "$out/$log.log" 2>&1
    code=$?
    took=$((SECONDS - begin))
}

# A build of a copy whose decode loop takes a tenth longer.
slowed() {
    [ -x "$copy/artifacts/bin/Llama3Perf.Benchmarks/release/Llama3Perf.Benchmarks" ] && return
    git -C "$root" worktree add --detach "$copy" HEAD > /dev/null
    sed -i 's|^        _decode.Compute(_runOptions);|        long begun = System.Diagnostics.Stopwatch.GetTimestamp();\n        _decode.Compute(_runOptions);\n        long end = begun + ((System.Diagnostics.Stopwatch.GetTimestamp() - begun) * 112 / 100);\n        while (System.Diagnostics.Stopwatch.GetTimestamp() < end) { }|' \
        "$copy/src/Llama3Perf.Inference/Engines/Ort/HostLoop.cs"
    dotnet build "$copy/benchmarks" -c Release -v q --nologo || exit 1
}

aa() {
    for model in llama-tiny llama-125m; do
        timed "aa-$model" "$suite" ab --baseline-build "$build" --model $model --precision int4 --prompt pp128 --budget 10m --output "$out/aa-$model"
        say "A/A of $model: expected exit code 0 within 600 s; exit code $code after $took s"
    done
}

slow() {
    slowed
    for i in 1 2 3 4 5 6 7 8 9 10; do
        timed "slow-$i" "$copy/artifacts/bin/Llama3Perf.Benchmarks/release/Llama3Perf.Benchmarks" ab --baseline-build "$build" \
            --engine ort --model llama-125m --precision int4 --prompt pp128 --budget 5m --output "$out/slow-$i"
        say "slowed copy, $i of 10: expected exit code 1 within 300 s; exit code $code after $took s"
    done
}

load() {
    for i in 1 2 3 4 5 6 7 8 9 10; do
        # Two loops, which end with their input and leave nothing behind.
        exec 3> >("$suite" spin --busy-loop) 4> >("$suite" spin --busy-loop)
        timed "load-$i" "$suite" ab --baseline-build "$build" --model llama-tiny --precision int4 --prompt pp128 --budget 60s --output "$out/load-$i"
        exec 3>&- 4>&-
        say "A/A beside two busy loops, $i of 10: expected exit code 0 or 3, never 1; exit code $code after $took s"
    done
}

stop() {
    "$suite" --model llama-125m --precision int4 --prompt pp128 --isolation none --engine ort --launches 1 --iterations 30 --output "$out/stop" > "$out/stop.log" 2>&1 &
    local run=$!
    sleep 16
    # The measuring process may be a child that the first one guards; a terminal stops both.
    local all="$run $(pgrep -P $run)"
    kill -STOP $all
    sleep 1
    kill -CONT $all
    wait $run
    say "stopped for a second: expected a line that says so; $(grep -i -m 1 'stopped' "$out/stop.log" || echo none)"
}

gates() {
    local reds=0
    for i in $(seq 0 20); do
        timed "gates-$i" "$suite" --model llama-tiny --precision int4 --prompt pp128 --launches 5 --output "$out/gates-$i"
        if [ "$i" -gt 0 ]; then
            timed "gates-$i-verdict" "$suite" gate --baseline "$out/gates-$((i - 1))" --current "$out/gates-$i"
            [ $code = 1 ] && reds=$((reds + 1))
            say "A/A gate $i of 20: expected exit code 0 or 3; exit code $code"
        fi
    done
    say "A/A gates: expected 0 red of 20; $reds"
}

until_known() {
    timed until "$suite" --model llama-125m --precision int4 --prompt pp128 --until 1% --budget 10m --output "$out/until"
    say "run --until 1%: exit code $code after $took s; $(grep -m 1 'as --until asked\|is spent' "$out/until.log" || echo 'no line says which ended it')"
}

overhead() {
    for model in llama-125m llama-3.2-1b; do
        # A pair of the larger one takes a minute and a half as it is.
        count=$([ $model = llama-125m ] && echo '--pairs 9' || echo '--pairs 5 --new-tokens 48')
        for isolation in none process; do
            timed "overhead-$model-$isolation" "$suite" pairs --overhead --isolation $isolation --model $model --prompt pp128,pp512 $count
            say "suite over a bare loop, $model, $isolation: expected ratios of 0.99 or more for prefill and decode; exit code $code after $took s"
            grep '|' "$out/overhead-$model-$isolation.log"
        done
    done
}

spin() {
    timed spin "$suite" spin --model llama-125m --runs 20
    say "spin, 125M: exit code $code after $took s"
    grep '|' "$out/spin.log"
}

for part in ${*:-aa slow load stop gates until overhead spin}; do
    [ "$part" = until ] && part=until_known
    $part
done
