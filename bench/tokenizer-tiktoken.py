"""The other side of tokenizer.ts: tiktoken's Rust, one thread. Reads "<file>" lines, answers with seconds and tokens."""
import sys
import time

import tiktoken
from tiktoken.load import load_tiktoken_bpe

PATTERN = r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
encoding = tiktoken.Encoding("cl100k", pat_str=PATTERN, mergeable_ranks=load_tiktoken_bpe(sys.argv[1]), special_tokens={})
texts = {}
for line in sys.stdin:
    name = line.rstrip("\n")
    if name not in texts:
        with open(name, encoding="utf8", newline="") as file:
            texts[name] = file.read().split("\n")
    start = time.perf_counter()
    tokens = sum(len(encoding.encode_ordinary(text)) for text in texts[name])
    print(time.perf_counter() - start, tokens, tiktoken.__version__, flush=True)
