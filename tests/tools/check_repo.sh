#!/bin/sh
# Small rules that a mistake made twice became: no unfinished marks, no function that is never right here, no line that
# does not fit the screen, nothing of a machine's own paths. Each rule is first shown that it sees a seeded breach.
# Called by `make lint`.
set -eu

cd "$(dirname "$0")/../.."
failed=0

# rule NAME EXTENDED-REGEX SAMPLE-THAT-BREAKS-IT PATHSPEC…: no line of those files may match.
rule() {
	name=$1 pattern=$2 sample=$3
	shift 3
	if ! printf '%s\n' "$sample" | grep -Eq -- "$pattern"; then
		echo "check_repo: the rule \"$name\" does not see its own sample" >&2
		failed=1
	fi
	if found=$(git grep -nEI -- "$pattern" -- "$@" ':!tests/tools/check_repo.sh' ':!tests/vectors' ':!*package-lock.json'); then
		printf '%s\ncheck_repo: %s\n' "$found" "$name" >&2
		failed=1
	fi
}

marks='TODO|FIXME|XXX|HACK'
rule 'unfinished work is an issue, not a comment' "(^|[^A-Za-z0-9_])($marks)([^A-Za-z0-9_]|\$)" '/* TODO: later */' .

c='*.c *.h *.cpp'
# shellcheck disable=SC2086  # a list of patterns
set -- $c
banned='strcpy|strcat|sprintf|vsprintf|gets|strtok|strncpy|strncat|system|popen|tmpnam|mktemp|alloca|rand|srand|gmtime|localtime|asctime|ctime|atol|atoll'
rule 'a banned function: bounded, reentrant ones exist' "(^|[^A-Za-z0-9_>.\"])($banned)[[:space:]]*\\(" '	strcpy(a, b);' "$@" ':!tests/unit'
rule 'setjmp and threads beside the pool break fibers' '(^|[^A-Za-z0-9_])(setjmp|longjmp|sigsetjmp|siglongjmp)[[:space:]]*\(' '	longjmp(env, 1);' "$@"
rule 'pragma once, not a guard' '^#ifndef [A-Z_]+_H$' '#ifndef FOYER_X_H' '*.h'
rule 'trailing white space' '[[:blank:]]+$' 'x ' '*.c' '*.h' '*.py' '*.mjs' '*.sh' '*.toml' '*.build' ':!tests/fuzz/corpus'
rule 'an own path of a machine' '(^|[^A-Za-z0-9_.])/(work|home/[a-z]+)/' 'see /work/main' . ':!tests/unit' ':!bench'

# Lines: code has 120 columns (.clang-format), long strings a few more. Tabs count as eight. The vectors in the tables
# of unit tests may be as long as they are.
if ! git ls-files -z '*.c' '*.h' '*.cpp' ':!tests/unit' | python3 -c '
import sys
long = 0
for name in sys.stdin.read().split("\0")[:-1]:
    for number, line in enumerate(open(name, encoding="utf-8"), 1):
        width = len(line.rstrip("\n").expandtabs(8))
        if width > 140:
            long += 1
            print(f"{name}:{number}: {width} columns", file=sys.stderr)
sys.exit(long > 0)'; then
	echo 'check_repo: lines longer than 140 columns' >&2
	failed=1
fi
[ $failed = 0 ] && echo 'check_repo: nothing to complain about'
exit $failed
