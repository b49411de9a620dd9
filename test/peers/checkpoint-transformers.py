# The side of transformers in test/peers: opens a folder and answers {"texts": [...], "ids": [...], "prompts": [[...]],
# "tokens": n} on standard input with ids of the texts, the texts of these ids, logits of `ids`, and what it writes greedily
# after each prompt, ends of texts too.
import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = sys.argv[1]
asked = json.load(sys.stdin)
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
texts = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in asked["texts"]]
ids = torch.tensor([asked["ids"]])
with torch.no_grad():
    logits = model(ids).logits[0]
    written = []
    for prompt in asked["prompts"]:
        for _ in range(asked["tokens"]):
            prompt = prompt + [model(torch.tensor([prompt])).logits[0, -1].argmax().item()]
        written.append(prompt[-asked["tokens"] :])
json.dump(
    {
        "texts": texts,
        "begins": [tokenizer(text)["input_ids"] for text in asked["texts"]],
        "decoded": [tokenizer.decode(one, clean_up_tokenization_spaces=False) for one in texts],
        "logits": logits.tolist(),
        "written": written,
        "specials": {"bos": tokenizer.bos_token_id, "eos": tokenizer.eos_token_id},
    },
    sys.stdout,
)
