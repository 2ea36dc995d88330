"""The logger's types: text about a person and secrets must not compile as log values, plain text must."""
import subprocess
import sys

PROGRAM = """
#include "foyer/log.h"
void f(struct fy_personal p, struct fy_secret s, struct fy_slice t);
void f(struct fy_personal p, struct fy_secret s, struct fy_slice t)
{{
	(void)p; (void)s; (void)t;
	fy_log(NULL, FY_LOG_INFO, "event", FY_KV("value", {value}));
}}
"""


def compiles(value):
    command = sys.argv[1:] + ["-std=gnu11", "-fsyntax-only", "-x", "c", "-"]
    return subprocess.run(command, input=PROGRAM.format(value=value), text=True, capture_output=True).returncode == 0


assert compiles("t"), "a plain slice must be accepted, or this test proves nothing"
assert not compiles("p"), "personal text was accepted by the logger"
assert not compiles("s"), "a secret was accepted by the logger"
print("1 passed, 0 failed")
