#!/usr/bin/env bash
# Runs every test project of the solution and ends in one line, "N passed, N failed". A skipped test counts as failed: what
# cannot be tested here must say so by failing. Usage: tests/run.sh [CONFIGURATION] [arguments for the test runner…]
set -uo pipefail
cd "$(dirname "$0")/.." || exit
configuration=${1:-Release}
shift || true

log=$(mktemp)
finish() {
  rm -f "$log"
  # A lab that stood before stays.
  [ -n "${lab_was_up:-}" ] || tests/lab/down
}
lab=/run/orchestrator-lab/${LAB:-0}/lab.json
lab_was_up=$(test -e "$lab" && echo yes)
hosts=$(grep -c '"endpoint"' "$lab" 2>/dev/null)
trap finish EXIT
tests/lab/up $((hosts > 3 ? hosts : 3)) || exit 1

# One test project at a time: several drive the same lab, and two cores are soon full. What a script starts in the background
# ignores Ctrl-C, and so would all that tests start and end by it.
env --default-signal=INT dotnet test --solution Orchestrator.sln --configuration "$configuration" --no-build --no-progress \
  --max-parallel-test-modules 1 --output Normal "$@" 2>&1 | tee "$log"
code=${PIPESTATUS[0]}

count() { awk -v key="$1:" '$1 == key { n = $2 } END { print n + 0 }' "$log"; }
passed=$(count succeeded)
failed=$(($(count failed) + $(count skipped)))
# A runner that broke (a crash, a project without tests, nothing found) is a failure even if no test says so.
if [ "$code" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
if [ "$passed" -eq 0 ]; then failed=$((failed + 1)); fi

# What failed, once more, where a long log ends; the first lines of each say why.
awk '/^failed / { left = 12 } /^[^ ]/ && !/^failed / { left = 0 } left-- > 0' "$log"

# Before the last line, which says how it went.
finish
trap - EXIT

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
