"""The other side of gemm.ts: torch.matmul. Reads "<rounding> <M> <K> <N> <transposed>" lines, answers with milliseconds.

The first line it reads is how many threads it may use; the first it answers is torch's version. Products of bf16 are of
tensors that are bf16 already and give bf16. Every task is run once for each line, after one that nobody times.
"""
import sys
import time

import torch

torch.set_num_threads(int(sys.stdin.readline()))
print(torch.__version__, flush=True)
tasks = {}


def task_of(rounding, rows, columns, outer, transposed):
    dtype = torch.bfloat16 if rounding == "bf16" else torch.float32

    def operand(first, second, is_transposed):
        shape = (second, first) if is_transposed else (first, second)
        values = (torch.rand(shape) * 2 - 1).to(dtype)
        return values.T if is_transposed else values

    a = operand(rows, columns, transposed == "a")
    b = operand(columns, outer, transposed == "b")
    out = torch.empty(rows, outer, dtype=dtype)
    torch.matmul(a, b, out=out)
    return a, b, out


for line in sys.stdin:
    if line not in tasks:
        rounding, *sizes, transposed = line.split()
        tasks = {line: task_of(rounding, *map(int, sizes), transposed)}
    a, b, out = tasks[line]
    start = time.perf_counter()
    torch.matmul(a, b, out=out)
    print(1000 * (time.perf_counter() - start), flush=True)
