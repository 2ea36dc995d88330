"""Turns common-passwords.txt into a sorted C table for password_rules.c: lower case, each once."""
import sys

source, target = sys.argv[1:]
with open(source, encoding="utf-8", errors="strict") as lines:
    words = sorted({line.rstrip("\n").lower() for line in lines if line.strip()}, key=lambda w: w.encode())
with open(target, "w", encoding="utf-8") as out:
    out.write("/* Generated from common-passwords.txt. */\n#include \"server/auth/common_passwords.h\"\n\n")
    out.write("const char *const fy_common_passwords[] = {\n")
    for word in words:
        out.write('\t"%s",\n' % word.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?"))
    out.write("};\n\nconst size_t fy_common_password_count = sizeof fy_common_passwords / sizeof *fy_common_passwords;\n")
