"""Adds the reference to the tokenizers of this folder, and makes the lists of merges.

    pip install tokenizers==0.23.3
    node test/golden/tokenizer-training/train.ts && python test/golden/tokenizer-training/make.py
"""
import json
import os

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

HERE = os.path.dirname(os.path.abspath(__file__))
TEXTS = [
    "", " ", "a", "\n", "Hello, world!", "  two  spaces ", "First Citizen:\nBefore we proceed any further, hear me speak.\n",
    "滚滚长江东逝水，浪花淘尽英雄。", "是非成败转头空", "话说天下大势，分久必合，合久必分。\n周末七国分争", "1234 naïve 𠮷野家 😀 é", "\t\r\n", "<s> </s> <0x41> <unk>",
    "[UNK] [CLS]", "Thou art a villain; I'll not hear thee, 曹操 said.", "▁ literal ▁▁", "mixed中英text文字here",
]


def read(name):
    with open(os.path.join(HERE, name), encoding="utf8", newline="") as file:
        return file.read()


def write(name, text):
    with open(os.path.join(HERE, name), "w", encoding="utf8", newline="") as file:
        file.write(text)


for language in ["en", "zh"]:
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = byte_level
    trainer = trainers.BpeTrainer(vocab_size=956, min_frequency=0, initial_alphabet=byte_level.alphabet(), show_progress=False)
    tokenizer.train_from_iterator([read(f"{language}.txt")], trainer)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    write(f"{language}.merges.txt", "".join(f"{left} {right}\n" for left, right in merges))

for kind in ["bpe", "unigram", "wordpiece", "characters"]:
    golden = json.loads(read(f"trained-{kind}.json"))
    tokenizer = Tokenizer.from_str(json.dumps(golden["tokenizer"]))
    cases = []
    for text in TEXTS:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        with_template = tokenizer.encode(text).ids
        cases.append({"text": text, "ids": ids, "with_template": with_template, "decoded": tokenizer.decode(ids, skip_special_tokens=False)})
    golden["cases"] = cases
    write(f"trained-{kind}.json", json.dumps(golden, ensure_ascii=False) + "\n")
