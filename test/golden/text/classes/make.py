"""Makes ranks.tiktoken and classes.json: ids that tokenizers give whose folders name a Python class and have no tokenizer.json.

    pip install sentencepiece==0.2.3 tiktoken==0.14.0
    python make.py

What the classes do is written here anew, from the published files (tokenization_chatglm.py of ChatGLM 3 and GLM-4,
tokenization_hy.py of Hunyuan, tokenization_baichuan.py), over the libraries that they use: sentencepiece and tiktoken. The
SentencePiece model is ../sp-bpe.model; the ranks are learnt here, of the sentences below. A case has a text, its `ids`, the ids
with what is put `around` a text, and for texts with special tokens the ids with those recognised (`special`).
"""
import base64
import json
import os
import re
import unicodedata
from collections import Counter

import sentencepiece
import tiktoken

HERE = os.path.dirname(os.path.abspath(__file__))
SENTENCES = """The quick brown fox jumps over the lazy dog. She said that they were there, and the others were not.
I can't believe it's not butter; they'll say we've won. def add(a, b): return a + b  # 12345
床前明月光，疑是地上霜。举头望明月，低头思故乡。今天天气怎么样？我想去北京看看，你想不想去？
""" * 2
TEXTS = ["", " ", "Hello, world!", " Hello", "Hello ", "  two  spaces  ", "line\n\n\nbreaks\r\n\tand tabs ", "I'm SURE they'LL say 12345 3.14",
    "床前明月光，疑是地上霜。", "混合 mixed 文本 text", "naïve café e\u0301 Å \u212b ﬁ", "🙂👩‍👩‍👧‍👦 é", "<|user|> <s> [gMASK] sop", "def f(x):\n    return x**2\n", "\u00a0\u3000"]
ROLES = ["[gMASK]sop<|user|>\n 你好<|assistant|>\n Hello <|user|>\n  again", "<|system|>\n Be brief.<|observation|>\n 42"]


def learn_ranks(pattern, count):
    """The commonest pair of neighbours in pieces becomes a token, `count` times."""
    import regex
    words = Counter(tuple(bytes([b]) for b in piece.encode()) for piece in regex.findall(pattern, SENTENCES))
    ranks = {bytes([b]): b for b in range(256)}
    for _ in range(count):
        pairs = Counter()
        for word, times in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += times
        (a, b), _times = max(pairs.items(), key=lambda item: (item[1], item[0]))
        ranks[a + b] = len(ranks)
        merged = Counter()
        for word, times in words.items():
            out, i = [], 0
            while i < len(word):
                both = i + 1 < len(word) and word[i] == a and word[i + 1] == b
                out.append(a + b if both else word[i])
                i += 2 if both else 1
            merged[tuple(out)] += times
        words = merged
    return ranks


def split_specials(text, specials):
    """Pieces of a text and the special tokens between them."""
    expression = "|".join(re.escape(name) for name in sorted(specials, key=len, reverse=True))
    return [part for part in re.split(f"({expression})", text) if part]


def with_specials(text, specials, encode):
    return [id for part in split_specials(text, specials) for id in ([specials[part]] if part in specials else encode(part))]


def cases(texts, specials, encode, before=(), after=(), special_texts=()):
    plain = [dict(text=text, ids=encode(text), around=[*before, *encode(text), *after]) for text in texts]
    return plain + [dict(text=text, ids=encode(text), special=with_specials(text, specials, encode)) for text in special_texts]


GLM_4_PATTERN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
HUNYUAN_PATTERN = GLM_4_PATTERN.replace("{1,3}", "")
ranks = learn_ranks(GLM_4_PATTERN, 120)
with open(os.path.join(HERE, "ranks.tiktoken"), "wb") as file:
    for token, rank in ranks.items():
        file.write(base64.b64encode(token) + f" {rank}\n".encode())
size = len(ranks)
result = {"made_with": f"sentencepiece {sentencepiece.__version__}, tiktoken {tiktoken.__version__}"}

# ChatGLM 3: special tokens follow the pieces; [gMASK] sop before a text; pieces of a prompt are encoded each by itself
sp = sentencepiece.SentencePieceProcessor(model_file=os.path.join(HERE, "..", "sp-bpe.model"))
names = ["[MASK]", "[gMASK]", "[sMASK]", "sop", "eop", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>"]
specials = {name: sp.vocab_size() + i for i, name in enumerate(names)}
result["chatglm3"] = dict(eot=specials["<|user|>"], eos=sp.eos_id(), cases=cases(TEXTS, specials, sp.encode, [specials["[gMASK]"], specials["sop"]], [], ROLES))

# Baichuan: a SentencePiece model as it is; what is put around a text stands in tokenizer_config.json
result["baichuan"] = dict(cases=cases(TEXTS, {}, sp.encode))
result["baichuan-bos"] = dict(cases=cases(TEXTS, {}, sp.encode, [sp.bos_id()]))

# GLM-4: special tokens are the config's; [gMASK]<sop> before a text
names = ["<|endoftext|>", "[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>"]
specials = {name: size + i for i, name in enumerate(names)}
encoding = tiktoken.Encoding("glm4", pat_str=GLM_4_PATTERN, mergeable_ranks=ranks, special_tokens={})
encode = lambda text: encoding.encode(text, disallowed_special=())
result["glm4"] = dict(specials=specials, eot=specials["<|user|>"], eos=specials["<|endoftext|>"],
    cases=cases(TEXTS, specials, encode, [specials["[gMASK]"], specials["<sop>"]], [], [text.replace("sop", "<sop>") for text in ROLES]))

# Hunyuan: special tokens follow the ranks, texts are composed (NFC)
names = ["<|endoftext|>", "<|startoftext|>", "<|bos|>", "<|eos|>", "<|pad|>"] + [f"<|extra_{i}|>" for i in range(204)]
specials = {name: size + i for i, name in enumerate(names)}
encoding = tiktoken.Encoding("hunyuan", pat_str=HUNYUAN_PATTERN, mergeable_ranks=ranks, special_tokens=specials)
encode = lambda text: encoding.encode(unicodedata.normalize("NFC", text), allowed_special=set(), disallowed_special=())
result["hunyuan"] = dict(eos=specials["<|eos|>"], cases=cases(TEXTS, specials, encode, [specials["<|startoftext|>"]], [specials["<|endoftext|>"]],
    ["<|startoftext|>你好<|extra_0|>Hello<|eos|>", "<|extra_203|> e\u0301<|endoftext|>"]))

with open(os.path.join(HERE, "classes.json"), "w") as file:
    json.dump(result, file, ensure_ascii=False)
    file.write("\n")
