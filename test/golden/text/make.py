"""Makes the reference tokenizers and ids of this folder.

    pip install tokenizers==0.23.3 sentencepiece==0.2.3
    python make.py ../../../../shared/data

The tokenizers are trained here, on texts of this script and on two texts that may be shared (tinyshakespeare: public
domain; chinese-poetry: MIT), so that everything in the folder may be shared with the project. Each JSON holds
`tokenizer` (a tokenizer.json) and `cases`: text, ids with added tokens recognised (`encode`), the ids with what the
post-processor adds (`with_template`), and both decodings.
"""
import io
import json
import os
import random
import sys
import tarfile

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

DATA = sys.argv[1]
random.seed(20240601)

TEXTS = [
    "", " ", "  ", "\n", "\t", "\r\n", " \n ", "a", "Hello", "Hello, world!", " Hello", "Hello ", "  two  spaces  ",
    "I can't believe it's not butter; they'll say we've won, I'd guess you're RIGHT, SHE'S HERE.",
    "The quick brown fox\njumps over\r\nthe lazy dog.\n\n\n  Indented\n\ttabbed  \n", "1234567890 3.14159 1,000,000 0x1F ①②③ Ⅳ ½ ٣",
    "def fib(n):\n    if n < 2:\n        return n\n    return fib(n - 1) + fib(n - 2)\n", "x=1;y=2;z=x+y//2 /* !== */ a[i]+=b->c;",
    "床前明月光，疑是地上霜。舉頭望明月，低頭思故鄉。", "今天天气怎么样？我想去北京故宫看看。", "こんにちは、世界。カタカナ ｶﾀｶﾅ", "안녕하세요 세계 \u1112\u1161\u11ab",
    "Ünïcödé àccénts: naïve café, Ångström, e\u0301 n\u0303 a\u030a", "ΑΒΓ αβγ ΣΊΣΥΦΟΣ", "Привет, мир! ЁЖ", "नमस्ते दुनिया", "مرحبا بالعالم",
    "🚀🌍 👨‍👩‍👧‍👦 🇨🇳 ✅ 𝒳𝓎 𠮷野家", "\u00a0nbsp\u3000ideographic\u2003em\u200bzero\ufeffbom\u0085nel", "ﬁ ﬂ ＡＢＣ １２３ ㍿ ™ № ℃",
    "<unk><s></s><|im_end|> [CLS] [MASK]", "a  <m>  b", "word<m>word", "[X] a[X] [X]b", "<tool>\n{\"a\": 1}\n</tool>", "▁literal ▁▁", "don'ſ ſ ẞ İ",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "https://example.com/a_b?c=d&e=%20#f",
    "\x00\x01\x07\x1b[0m", "camelCaseWord HTTPServer iPhone XMLHttpRequest McDonald", "''''s 't \"quoted\" ``ticks``", "...!!!???---___", "--a-b--c-",
]
ALPHABET = "abcdeXYZ 0123 \n\r\t.,'’s!?-_<>▁éñß中文字あア한😀\u0301\u00a0\u3000\u200d"
TEXTS += ["".join(random.choice(ALPHABET) for _ in range(random.randint(1, 60))) for _ in range(120)]


def training_lines():
    with open(f"{DATA}/pretrain/en/tinyshakespeare.txt", encoding="utf8") as file:
        lines = file.read().split("\n")[:4000]
    with tarfile.open(f"{DATA}/pretrain/zh/chinese-poetry-core.tar.xz") as archive:
        for member in archive:
            if member.isfile() and member.name.endswith(".json"):
                poems = json.load(io.TextIOWrapper(archive.extractfile(member), "utf8"))
                if isinstance(poems, list) and poems and "paragraphs" in poems[0]:
                    lines += [line for poem in poems[:150] for line in poem["paragraphs"]]
                    break
    return lines + [text for text in TEXTS[:44] if text.strip()] * 3


LINES = training_lines()
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
DEEPSEEK3 = r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
NO_BYTES = ["<unk>", "<s>", "</s>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def bpe(vocabulary=700, specials=(), alphabet=(), **options):
    tokenizer = Tokenizer(models.BPE(**options))
    suffix = {key: options[key] for key in options if key == "end_of_word_suffix"}
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=list(specials), initial_alphabet=list(alphabet), show_progress=False, **suffix)
    return tokenizer, trainer


def byte_level(pre_tokenizer, **options):
    tokenizer, trainer = bpe(specials=["<|endoftext|>", "<|im_end|>"], alphabet=pre_tokenizers.ByteLevel.alphabet(), **options)
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.add_tokens([AddedToken("<tool>", normalized=False), AddedToken("</tool>", normalized=False)])
    return tokenizer


def split(*patterns):
    parts = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in patterns]
    return pre_tokenizers.Sequence([*parts, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def gpt2():
    return byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False))


def roberta():
    tokenizer = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True))
    tokenizer.post_processor = processors.RobertaProcessing(("<|im_end|>", 1), ("<|endoftext|>", 0), add_prefix_space=True)
    tokenizer.add_special_tokens([AddedToken("<m>", lstrip=True, rstrip=True)])
    tokenizer.add_tokens([AddedToken("[X]", single_word=True)])
    return tokenizer


def llama3():
    tokenizer = byte_level(split(LLAMA3), ignore_merges=True)
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(), processors.TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)])])
    return tokenizer


def qwen2():
    tokenizer = byte_level(split(LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")))
    tokenizer.normalizer = normalizers.NFC()
    return tokenizer


def deepseek3():
    return byte_level(split(r"\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+", DEEPSEEK3))


def starcoder():
    return byte_level(pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]))


def clip():
    tokenizer, trainer = bpe(specials=["<|endoftext|>"], alphabet=pre_tokenizers.ByteLevel.alphabet(),
                             end_of_word_suffix="</w>", unk_token="<|endoftext|>")
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), "removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.train_from_iterator(LINES, trainer)
    return tokenizer


def llama2():
    tokenizer, trainer = bpe(specials=[*NO_BYTES, *BYTES], byte_fallback=True, fuse_unk=True, unk_token="<unk>")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.pre_tokenizer = None
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return without_byte_specials(tokenizer)


def gemma():
    tokenizer, trainer = bpe(specials=[*NO_BYTES, *BYTES, "▁▁", "▁▁▁", "\n", "\n\n"], byte_fallback=True, fuse_unk=True, unk_token="<unk>")
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return without_byte_specials(tokenizer, plain=("▁▁", "▁▁▁", "\n", "\n\n"))


def without_byte_specials(tokenizer, plain=()):
    """Byte tokens are no added tokens in real files, and the runs of blanks there are not special."""
    parsed = json.loads(tokenizer.to_str())
    parsed["added_tokens"] = [
        {**token, "special": token["content"] not in plain}
        for token in parsed["added_tokens"] if token["content"] not in BYTES
    ]
    return Tokenizer.from_str(json.dumps(parsed))


def metaspace():
    tokenizer, trainer = bpe(specials=NO_BYTES, unk_token="<unk>", fuse_unk=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.add_tokens([AddedToken("<TOOL>", normalized=True), AddedToken("[X]", normalized=False)])
    return tokenizer


def gpt1():
    tokenizer, trainer = bpe(specials=["<unk>"], end_of_word_suffix="</w>", unk_token="<unk>")
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(LINES, trainer)
    return tokenizer


def unigram(pre_tokenizer, normalizer, **options):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.normalizer = normalizer
    tokenizer.train_from_iterator(LINES, trainers.UnigramTrainer(
        vocab_size=600, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False, **options))
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return tokenizer


def t5():
    pieces = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    return unigram(pieces, small_charsmap())


def albert():
    steps = [normalizers.Replace("``", '"'), normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(),
             normalizers.Nmt(), normalizers.Strip(), small_charsmap(), normalizers.Replace(Regex(" {2,}"), " ")]
    return unigram(pre_tokenizers.Metaspace(), normalizers.Sequence(steps))


def bert():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(LINES, trainers.WordPieceTrainer(
        vocab_size=900, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return tokenizer


def bert_cased():
    tokenizer = bert()
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation(), pre_tokenizers.Digits()])
    return tokenizer


RULES = {"\u00a0": " ", "\u3000": " ", "ﬁ": "fi", "ﬂ": "fl", "™": "TM", "①": "1", "㍿": "株式会社", "e\u0301": "é",
         "n\u0303": "ñ", "\u200b": "", "\t": " ", "\n": " ", "\r": " ", "Ａ": "A", "Ｂ": "B", "ab": "ba", "aab": "X"}


def train_sentencepiece(model_type, **options):
    """A model with a few rules of its own: the usual charsmap alone is 237 kB."""
    def points(text):
        return " ".join(f"{ord(character):X}" for character in text)
    with open("rules.tsv", "w", encoding="utf8") as file:  # its name is written into the model
        file.writelines(f"{points(source)}\t{points(target)}\n" for source, target in RULES.items())
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for line in LINES if line]), model_writer=model, vocab_size=600, model_type=model_type,
        normalization_rule_tsv="rules.tsv", minloglevel=2, num_threads=1, character_coverage=0.98,
        hard_vocab_limit=False, **options)
    os.remove("rules.tsv")
    return model.getvalue()


def small_charsmap():
    from sentencepiece import sentencepiece_model_pb2 as proto
    model = proto.ModelProto()
    model.ParseFromString(train_sentencepiece("unigram"))
    return normalizers.Precompiled(model.normalizer_spec.precompiled_charsmap)


def write(name, content):
    with open(f"{name}.json", "w", encoding="utf8") as file:
        json.dump(content, file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n")


for make in [gpt2, roberta, llama3, qwen2, deepseek3, starcoder, clip, llama2, gemma, metaspace, gpt1, t5, albert, bert, bert_cased]:
    tokenizer = make()
    cases = []
    for text in TEXTS:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        cases.append({
            "text": text, "ids": ids, "with_template": tokenizer.encode(text).ids,
            "decoded": tokenizer.decode(ids, skip_special_tokens=False),
            "decoded_skip_special": tokenizer.decode(ids, skip_special_tokens=True),
        })
    write(make.__name__.replace("_", "-"), {"tokenizer": json.loads(tokenizer.to_str()), "cases": cases})

SENTENCEPIECE = {
    "sp-bpe": dict(model_type="bpe", byte_fallback=True, add_dummy_prefix=True, remove_extra_whitespaces=False,
                   user_defined_symbols=["<tool>", "▁▁", "\n"]),
    "sp-bpe-unknown": dict(model_type="bpe"),
    "sp-unigram": dict(model_type="unigram", byte_fallback=True, user_defined_symbols=["<tool>"]),
    "sp-unigram-unknown": dict(model_type="unigram", add_dummy_prefix=False),
}
for name, options in SENTENCEPIECE.items():
    model = train_sentencepiece(**options)
    with open(f"{name}.model", "wb") as file:
        file.write(model)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    write(name, {"cases": [{"text": text, "ids": processor.encode(text), "decoded": processor.decode(processor.encode(text))} for text in TEXTS]})

# Large vocabularies that stay outside the project: only the ids they give are kept here.
with open(f"{DATA}/tokenizers/botchan.txt", encoding="utf8") as file:
    TEXTS += file.read().split("\n")[100:180]
with open(f"{DATA}/pretrain/zh/novels/西游记.txt", encoding="utf8") as file:
    TEXTS += file.read().split("\n")[40:80]
minimind = Tokenizer.from_file(f"{DATA}/tokenizers/minimind-tokenizer.json")
large = {"minimind-tokenizer.json": [minimind.encode(text, add_special_tokens=False).ids for text in TEXTS]}
for name in ["sentencepiece-test_model.model", "chinese_sp.model"]:
    large[name] = sentencepiece.SentencePieceProcessor(f"{DATA}/tokenizers/{name}").encode(TEXTS)
os.makedirs("shared", exist_ok=True)
write("shared/ids", {"texts": TEXTS, "ids": large})
