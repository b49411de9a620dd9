# The side of PEFT in test/peers: opens a model's folder and an adapter's folder beside it and answers {"ids": [...]} on
# standard input with logits of `ids`, of the model alone, with the adapter, and with the adapter folded in.
import json
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

base, adapter = sys.argv[1:]
ids = torch.tensor([json.load(sys.stdin)["ids"]])
with torch.no_grad():
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float64).eval()
    alone = model(ids).logits[0].tolist()
    adapted = PeftModel.from_pretrained(model, adapter, autocast_adapter_dtype=False).double().eval()
    beside = adapted(ids).logits[0].tolist()
    merged = adapted.merge_and_unload()(ids).logits[0].tolist()
json.dump({"alone": alone, "beside": beside, "merged": merged}, sys.stdout)
