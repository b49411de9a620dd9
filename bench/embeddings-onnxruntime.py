"""The other side of embeddings.ts: the same BERT in onnxruntime. Arguments: the model's folder, threads, tokens a text.

All texts are of one length, without a mask. Forms, each optimized by onnxruntime as it opens: "exported" has the operators
that exporters write, "fused" those of onnxruntime's own that its tool for transformers makes of them (attention in one, a
residual added in LayerNorm, a bias in GELU), both with weights as they are stored; "int8" is what `quantize_dynamic` makes
of "fused". Reads "<form> <batch> <milliseconds>" lines; answers with the milliseconds of the fastest run in that time. The
first line it writes is a JSON object: its version, and the last hidden values of a text's first row, of each form.
"""
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import quantize_dynamic
from safetensors.numpy import load_file

folder, threads, tokens = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
config = json.loads((folder / "config.json").read_text())
weights = load_file(folder / "model.safetensors")
width, epsilon = config["hidden_size"], config["layer_norm_eps"]

heads = config["num_attention_heads"]


class Builder:
    """Collects the nodes of a graph; `is_fused`: of onnxruntime's own operators."""

    def __init__(self, is_fused):
        self.is_fused, self.nodes, self.constants = is_fused, [], {}

    def constant(self, name, value):
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def node(self, kind, inputs, name, domain="", **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, domain=domain, **attributes))
        return name

    def fused(self, kind, inputs, name, **attributes):
        return self.node(kind, inputs, name, "com.microsoft", **attributes)

    def number(self, value):
        return self.constant(f"number {value}", np.float32(value))

    def vector(self, name):
        return self.constant(name, weights[name])

    def product(self, x, name):
        return self.node("MatMul", [x, self.constant(f"{name}.T", weights[f"{name}.weight"].T)], f"{name}.product")

    def linear(self, x, name):
        return self.node("Add", [self.product(x, name), self.vector(f"{name}.bias")], f"{name}.out")

    def norm(self, x, name):
        inputs = [x, self.vector(f"{name}.weight"), self.vector(f"{name}.bias")]
        return self.node("LayerNormalization", inputs, f"{name}.out", epsilon=epsilon)

    def projected(self, x, skip, dense, norm):
        """LayerNorm(dense(x) + skip)."""
        if not self.is_fused:
            return self.norm(self.node("Add", [self.linear(x, dense), skip], f"{norm}.sum"), norm)
        inputs = [self.vector(f"{norm}.weight"), self.vector(f"{norm}.bias"), self.vector(f"{dense}.bias")]
        inputs = [self.product(x, dense), skip, *inputs]
        return self.fused("SkipLayerNormalization", inputs, f"{norm}.out", epsilon=epsilon)

    def attention(self, x, at):
        parts = [f"{at}.{part}" for part in ("query", "key", "value")]
        if self.is_fused:
            matrices = self.constant(f"{at}.qkv", np.concatenate([weights[f"{part}.weight"].T for part in parts], axis=1))
            bias = self.constant(f"{at}.qkv.bias", np.concatenate([weights[f"{part}.bias"] for part in parts]))
            return self.fused("Attention", [x, matrices, bias], f"{at}.mixed", num_heads=heads)
        size = width // heads
        split = self.constant("split", np.array([0, 0, heads, size], dtype=np.int64))
        whole = self.constant("whole", np.array([0, 0, width], dtype=np.int64))
        orders = ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])
        q, k, v = (
            self.node("Transpose", [self.node("Reshape", [self.linear(x, part), split], f"{part}.heads")], f"{part}.turned", perm=order)
            for part, order in zip(parts, orders)
        )
        scores = self.node("MatMul", [q, k], f"{at}.products")
        scores = self.node("Div", [scores, self.number(size**0.5)], f"{at}.scores")
        mixed = self.node("MatMul", [self.node("Softmax", [scores], f"{at}.weights", axis=-1), v], f"{at}.heads")
        mixed = self.node("Transpose", [mixed], f"{at}.rows", perm=[0, 2, 1, 3])
        return self.node("Reshape", [mixed, whole], f"{at}.mixed")

    def activated(self, x, name):
        """GELU(dense(x)); exporters write it by the error function."""
        if self.is_fused:
            return self.fused("BiasGelu", [self.product(x, name), self.vector(f"{name}.bias")], f"{name}.gelu")
        up = self.linear(x, name)
        error = self.node("Erf", [self.node("Div", [up, self.number(2**0.5)], f"{name}.scaled")], f"{name}.erf")
        share = self.node("Mul", [up, self.node("Add", [error, self.number(1)], f"{name}.more")], f"{name}.twice")
        return self.node("Mul", [share, self.number(0.5)], f"{name}.gelu")

    def model(self):
        words = self.node("Gather", [self.vector("embeddings.word_embeddings.weight"), "ids"], "words")
        places = weights["embeddings.position_embeddings.weight"][:tokens] + weights["embeddings.token_type_embeddings.weight"][0]
        h = self.norm(self.node("Add", [words, self.constant("places", places)], "embedded"), "embeddings.LayerNorm")
        for layer in range(config["num_hidden_layers"]):
            at = f"encoder.layer.{layer}"
            output = f"{at}.attention.output"
            h = self.projected(self.attention(h, f"{at}.attention.self"), h, f"{output}.dense", f"{output}.LayerNorm")
            fed = self.activated(h, f"{at}.intermediate.dense")
            h = self.projected(fed, h, f"{at}.output.dense", f"{at}.output.LayerNorm")
        graph = helper.make_graph(
            self.nodes,
            "bert",
            [helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", tokens])],
            [helper.make_tensor_value_info(h, TensorProto.FLOAT, ["batch", tokens, width])],
            list(self.constants.values()),
        )
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def session(path):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


with tempfile.TemporaryDirectory() as temporary:
    paths = {form: f"{temporary}/{form}.onnx" for form in ("exported", "fused", "int8")}
    onnx.save(Builder(is_fused=False).model(), paths["exported"])
    onnx.save(Builder(is_fused=True).model(), paths["fused"])
    quantize_dynamic(paths["fused"], paths["int8"], extra_options={"DefaultTensorType": TensorProto.FLOAT})
    sessions = {form: session(path) for form, path in paths.items()}

ids = np.arange(tokens, dtype=np.int64) * 17 + 1000
inputs = {batch: {"ids": np.tile(ids, (batch, 1))} for batch in (1, 32)}
first = {form: it.run(None, inputs[1])[0][0, 0].tolist() for form, it in sessions.items()}
print(json.dumps({"version": ort.__version__, **first}), flush=True)

for line in sys.stdin:
    form, batch, milliseconds = line.split()
    run, given = sessions[form].run, inputs[int(batch)]
    best, end = float("inf"), time.perf_counter() + float(milliseconds) / 1000
    while time.perf_counter() < end:
        start = time.perf_counter()
        run(None, given)
        best = min(best, time.perf_counter() - start)
    print(1000 * best, flush=True)
