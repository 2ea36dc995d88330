"""The statement generator: what it makes of a good block, and that it refuses each bad one with its line."""
import os
import subprocess
import sys
import tempfile
import unittest

GENERATOR = os.path.join(os.environ["FOYER_SOURCE_ROOT"], "storage", "sql", "generate.py")

GOOD = """-- statement: a
-- params: id:u64
-- row: id:u64, name:text(10)?
-- kind: one
SELECT id, name FROM t WHERE id = ?;
"""


def block(sql, kind="exec", params="none", row=None, extra=""):
    return (f"-- statement: a\n-- params: {params}\n-- kind: {kind}\n" + (f"-- row: {row}\n" if row else "") + extra + sql + "\n")


class Generator(unittest.TestCase):
    def run_on(self, *texts):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for i, text in enumerate(texts):
                paths.append(os.path.join(folder, f"{i}.def"))
                with open(paths[-1], "w", encoding="utf-8") as file:
                    file.write(text)
            header = os.path.join(folder, "out.h")
            done = subprocess.run([sys.executable, GENERATOR, "--header", header, "--source", os.path.join(folder, "out.c"),
                                   *paths], capture_output=True, text=True)
            made = None
            if done.returncode == 0:
                with open(header, encoding="utf-8") as file:
                    made = file.read()
            return done.returncode, done.stderr, made

    def refuses(self, text, because):
        code, said, _ = self.run_on(text)
        self.assertEqual(code, 1, text)
        self.assertIn(because, said)
        self.assertRegex(said, r"0\.def:\d+: ")

    def test_a_good_block_becomes_a_typed_function(self):
        code, said, header = self.run_on(GOOD)
        self.assertEqual((code, said), (0, ""))
        self.assertIn("fy_async int fy_sql_a(struct fy_ctx *ctx, const struct fy_sql_a_params *p, struct fy_sql_a_row *ret_row);",
                      header)

    def test_comments_and_continued_lines(self):
        code, said, header = self.run_on("-- on a subject: this\n\n" + GOOD.replace("id:u64, name", "id:u64,\n-- name"))
        self.assertEqual((code, said), (0, ""))
        self.assertIn("struct fy_slice name;", header)

    def test_the_same_name_twice(self):
        code, said, _ = self.run_on(GOOD, GOOD)
        self.assertEqual(code, 1)
        self.assertIn("exists already", said)

    def test_refusals(self):
        for text, because in (
            ("SELECT 1;\n", "without"),
            (GOOD.replace("-- params: id:u64\n", ""), "no 'params'"),
            (GOOD.replace("= ?", "= 1"), "0 question marks, 1 declared"),
            (GOOD.replace("id, name FROM", "* FROM"), "SELECT *"),
            (GOOD.replace("id, name FROM", "t.* FROM"), "SELECT *"),
            (GOOD.replace("id = ?", "id = ? AND name = 'x'"), "quoted"),
            (GOOD.replace("id = ?", 'id = ? AND name = "x"'), "quoted"),
            (GOOD.replace("FROM t", "FROM `t`"), "quoting"),
            (GOOD.replace("FROM t", "FROM t /* x */"), "comment"),
            (GOOD.replace("id = ?", "id = ?; SELECT 1"), "one statement"),
            (GOOD.replace("u64", "u128"), "unknown type"),
            (GOOD.replace("text(10)", "text"), "needs a length"),
            (GOOD.replace("name:text", "int:text"), "not usable"),
            (GOOD.replace("id = ?", "id = ? AND at < NOW()"), "ctx->now"),
            (GOOD.replace("kind: one", "kind: some"), "not one of"),
            (GOOD.rstrip("\n").rstrip(";") + "\n", "does not end with ;"),
            (block("DELETE FROM t;"), "without WHERE"),
            (block("UPDATE t SET x = ?;", params="x:u8"), "without WHERE"),
            (block("DROP TABLE t;"), "belongs into a migration"),
            (block("SELECT id FROM t;"), "begins with"),
            (block("SELECT id FROM t;", kind="many", row="id:u64"), "max"),
            (block("SELECT name, id FROM t WHERE id = ?;", "merge", "id:u64", "name:text(9), id:u64"), "selects id first"),
            (block("SELECT id FROM t WHERE id = ? AND x = 1;", "merge", "id:u64", "id:u64"), "ends with WHERE"),
            (block("INSERT INTO t (a) VALUES (?) ON DUPLICATE KEY UPDATE a = 1;", "insert_batch", "a:u8"), "one row"),
            (block("INSERT INTO t (a) SELECT ? FROM u;", "insert_batch", "a:u8"), "one row"),
        ):
            with self.subTest(because=because, text=text):
                self.refuses(text, because)


if __name__ == "__main__":
    unittest.main()
