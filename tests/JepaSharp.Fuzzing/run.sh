#!/usr/bin/env bash
# Fuzzes the readers under AFL++ with SharpFuzz: run.sh OUT SECONDS [READER...]. Needs afl++ (a Debian package) and the tool
# SharpFuzz.CommandLine (dotnet tool install --global). What was found lies in OUT/NAME/default/crashes and hangs; a second call goes on.
set -euo pipefail
out=$(mkdir -p "$1" && cd "$1" && pwd) seconds=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
built=$here/bin/Release/net10.0
program=$out/program
if [ ! -d "$program" ]; then
  # A copy, never the output folder itself: instrumenting works in place, and outputs are links to the package cache.
  mkdir -p "$program"
  (cd "$built" && find . -type f ! -name 'libtorch*' ! -name 'lib*omp*' ! -name '*.pdb' ! -path './runtimes/win*' ! -path './runtimes/osx*' -exec cp --parents {} "$program" \;)
  for library in JepaSharp YamlDotNet Parquet ICSharpCode.SharpZipLib; do sharpfuzz "$program/$library.dll"; done
  dotnet "$built/JepaSharp.Fuzzing.dll" seeds "$out/seeds"
fi
export AFL_SKIP_BIN_CHECK=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_AUTORESUME=1 AFL_FORKSRV_INIT_TMOUT=60000
for reader in "${@:-$(dotnet "$program/JepaSharp.Fuzzing.dll" list)}"; do
  for name in $reader; do
    # The bound of a second is the program's own (ExecuteInTime), because an end by AFL++'s takes the whole fuzzer with it.
    timeout --signal=INT "$((seconds + 60))" afl-fuzz -i "$out/seeds/$name" -o "$out/$name" -m none -t 20000 -V "$seconds" -- dotnet "$program/JepaSharp.Fuzzing.dll" fuzz "$name" > "$out/$name.log" 2>&1 || true
    stats=$out/$name/default/fuzzer_stats
    if [ -f "$stats" ]; then awk -v n="$name" '/^execs_done|^execs_per_sec|^saved_crashes|^saved_hangs|^corpus_count|^edges_found/ { v[$1] = $3 } END { print n, v["execs_done"], "executions,", v["execs_per_sec"], "a second,", v["corpus_count"], "inputs,", v["edges_found"], "edges,", v["saved_crashes"], "crashes,", v["saved_hangs"], "hangs" }' "$stats"; else echo "$name did not start: see $out/$name.log"; fi
  done
done
