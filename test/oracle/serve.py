"""Runs oracle.py again and again in one process: one JSON list of arguments a line in, one JSON object a line out.

Starting Python takes longer than a small case does. Out: {"code": exit code, "out": stdout, "err": stderr}.
"""
import contextlib, io, json, os, runpy, sys

ORACLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "oracle.py")

for line in sys.stdin:
    out, err, code = io.StringIO(), io.StringIO(), 0
    sys.argv = [ORACLE, *json.loads(line)]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            runpy.run_path(ORACLE, run_name="__main__")
        except SystemExit as e:
            code = e.code or 0
    print(json.dumps({"code": code, "out": out.getvalue(), "err": err.getvalue()}), flush=True)
