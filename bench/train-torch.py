"""The other side of train.ts: the same GPT in PyTorch, with AdamW, on random ids. Arguments: threads, steps, batch, and one
of f32, bf16 (autocast) and compiled (autocast and torch.compile). Prints tokens a second of the fastest step as JSON.
"""
import json
import math
import sys
import time

import torch
from torch import nn
from torch.nn import functional

threads, steps, batch = map(int, sys.argv[1:4])
mode = sys.argv[4]
torch.set_num_threads(threads)
torch.manual_seed(1)
VOCABULARY, LENGTH, WIDTH, LAYERS, HEADS = 8192, 256, 384, 6, 6


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention_norm, self.mlp_norm = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attention, self.output = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        rows, length, _ = x.shape
        parts = self.attention(self.attention_norm(x)).split(WIDTH, dim=2)
        q, k, v = (part.view(rows, length, HEADS, -1).transpose(1, 2) for part in parts)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.output(mixed.transpose(1, 2).reshape(rows, length, WIDTH))
        return x + self.down(functional.gelu(self.up(self.mlp_norm(x)), approximate="tanh"))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.positions = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.layers, self.norm = nn.ModuleList(Layer() for _ in range(LAYERS)), nn.LayerNorm(WIDTH)
        for weights in self.parameters():
            if weights.dim() == 2:
                nn.init.normal_(weights, std=0.02)

    def forward(self, ids, targets):
        x = self.embedding(ids) + self.positions(torch.arange(LENGTH))
        for layer in self.layers:
            x = layer(x)
        logits = functional.linear(self.norm(x), self.embedding.weight)
        return functional.cross_entropy(logits.view(-1, VOCABULARY), targets.view(-1))


model = Gpt()
run = torch.compile(model) if mode == "compiled" else model
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=0.1)
ids = torch.randint(VOCABULARY, (batch, LENGTH))
targets = ids.roll(-1)
best = math.inf
for step in range(steps + 2):  # two that do not count: compilation
    start = time.perf_counter()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=mode != "f32"):
        loss = run(ids, targets)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    if step > 1:
        best = min(best, time.perf_counter() - start)
answer = {"version": torch.__version__, "mode": mode, "tokens_per_s": round(batch * LENGTH / best), "loss": loss.item()}
print(json.dumps(answer))
