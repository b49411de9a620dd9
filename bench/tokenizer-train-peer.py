"""The other side of tokenizer-train.ts: the tokenizers library. Reads "<file>" lines, answers each with one line of JSON."""
import json
import sys
import time

import tokenizers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

for line in sys.stdin:
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = byte_level
    trainer = trainers.BpeTrainer(
        vocab_size=int(sys.argv[1]), initial_alphabet=byte_level.alphabet(), show_progress=False
    )
    start = time.perf_counter()
    tokenizer.train([line.rstrip("\n")], trainer)
    seconds = time.perf_counter() - start
    answer = {"seconds": seconds, "version": tokenizers.__version__, "tokenizer": json.loads(tokenizer.to_str())}
    print(json.dumps(answer), flush=True)
