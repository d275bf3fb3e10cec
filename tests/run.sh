#!/usr/bin/env bash
# Runs every test project of the solution and ends in one line, "N passed, N failed". A skipped test counts as failed: what
# cannot be tested here must say so by failing. Usage: tests/run.sh [CONFIGURATION] [arguments for the test runner…]
set -uo pipefail
cd "$(dirname "$0")/.." || exit
configuration=${1:-Release}
shift || true
arguments=("$@")

logs=$(mktemp -d)
finish() {
  rm -rf "$logs"
  # A lab that stood before stays.
  [ -n "${lab_was_up:-}" ] || tests/lab/down
}
lab=/run/orchestrator-lab/${LAB:-0}/lab.json
lab_was_up=$(test -e "$lab" && echo yes)
hosts=$(grep -c '"endpoint"' "$lab" 2>/dev/null)
trap finish EXIT

# Three hosts that stay whole, and three that tests break meanwhile.
tests/lab/up $((hosts > 6 ? hosts : 6)) || exit 1

# run LOG PROJECT…: one after the other.
run() {
  local log=$logs/$1 project code
  for project in "${@:2}"; do
    printf '▶ %s\n' "$project"

    # What a script starts in the background ignores Ctrl-C, and so would all that tests start and end by it.
    env --default-signal=INT "artifacts/bin/$project/${configuration,,}/$project" --progress off --ansi off --output Normal "${arguments[@]}" 2>&1
    code=$?

    # 8: none of its tests was asked for.
    [ "$code" -eq 0 ] || { [ "$code" -eq 8 ] && [ "${#arguments[@]}" -gt 0 ]; } || printf 'broken: %s ended with exit code %s\n' "$project" "$code"
  done | tee "$log"
}

# End to end first, by itself: several installations there, with visitors, keep both processors busy. Then those of the agent, which mostly wait for
# engines, and beside them the others, which mostly work.
mapfile -t others < <(sed -n 's/.*"tests[\\/]\(Orchestrator\.[A-Za-z]*\.Tests\)[\\/].*/\1/p' Orchestrator.sln | grep -vE '\.(EndToEnd|HostAgent)\.')
run end-to-end Orchestrator.EndToEnd.Tests
run agent Orchestrator.HostAgent.Tests &
run others "${others[@]}" &
wait

count() { awk -v key="$1:" '$1 == key { n += $2 } END { print n + 0 }' "$logs"/*; }
passed=$(count succeeded)
failed=$(($(count failed) + $(count skipped)))
# A runner that broke (a crash, a project without tests, nothing found) is a failure even if no test says so.
if [ "$failed" -eq 0 ] && grep -q '^broken:' "$logs"/*; then failed=1; fi
if [ "$passed" -eq 0 ]; then failed=$((failed + 1)); fi

# What failed, once more, where a long log ends, and no longer than needed: what was said, and where.
for log in "$logs"/*; do
  awk '
    function tell() { print substr($0, 1, 400) }
    /^[^ ]/ { said = at = 0 }
    /^failed / { said = 5; at = 1 }
    /^ +at / { if (at > 0 && /\/tests\//) { at--; tell() } next }
    said-- > 0 { tell() }
    /^broken:/' "$log"
done

# Before the last line, which says how it went.
finish
trap - EXIT

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
