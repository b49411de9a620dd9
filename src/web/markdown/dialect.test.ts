import assert from "node:assert/strict";
import { test } from "node:test";
import { blockToHtml } from "./dialect.ts";

const html = (markdown: string): string => blockToHtml(markdown).trim();

test("bold closes between Chinese punctuation and a letter", () => {
  assert.equal(html("这是**“量”**的意思"), "<p>这是<strong>“量”</strong>的意思</p>");
  assert.equal(html("**重点：**后面"), "<p><strong>重点：</strong>后面</p>");
  assert.equal(html("a **b** c"), "<p>a <strong>b</strong> c</p>");
  assert.equal(html("2 ** 3 ** 4，"), "<p>2 ** 3 ** 4，</p>");
});

test("a bare address ends where Chinese text goes on", () => {
  assert.equal(
    html("看https://example.org/a，然后"),
    '<p>看<a href="https://example.org/a">https://example.org/a</a>，然后</p>',
  );
  assert.equal(
    html("https://example.org/b文档"),
    '<p><a href="https://example.org/b">https://example.org/b</a>文档</p>',
  );
});

test("all four marks of maths are read, and the TeX inside is left alone", () => {
  for (const [markdown, kind] of [
    ["a $x_1*y*z$ b", "inline"],
    [String.raw`a \(x_1*y*z\) b`, "inline"],
    ["a $$x_1*y*z$$ b", "display"],
    [String.raw`a \[x_1*y*z\] b`, "display"],
  ]) {
    assert.equal(html(markdown), `<p>a <span data-maths="${kind}" data-source="x_1*y*z">x_1*y*z</span> b</p>`);
  }
  assert.match(html("$$\na\\\\\nb\n$$"), /^<div class="maths-line"><span data-maths="display" data-source="a\\\\\nb">/);
});

test("money is not maths", () => {
  for (const text of ["from $5 to $6", "$5, or $7.50", "costs US$3 and HK$4", "a $ b $ c"]) {
    assert.equal(html(text), `<p>${text}</p>`);
  }
});

test("maths does not reach over an empty line", () => {
  assert.doesNotMatch(html("$$a\n\nb$$"), /data-maths="display" data-source="a\n/);
});

test("HTML in a reply is shown as text, but for plain tags without attributes", () => {
  assert.equal(html("a <script>alert(1)</script>"), "<p>a &lt;script&gt;alert(1)&lt;/script&gt;</p>");
  assert.equal(html('x <img src=x onerror="alert(1)">'), "<p>x &lt;img src=x onerror=&quot;alert(1)&quot;&gt;</p>");
  assert.equal(html("H<sub>2</sub>O<br>b"), "<p>H<sub>2</sub>O<br>b</p>");
  assert.equal(html("x <sub onclick=y>2</sub>"), "<p>x &lt;sub onclick=y&gt;2</sub></p>");
  assert.equal(html("<div>\n<iframe src=a>\n</div>"), "<p>&lt;div&gt;\n&lt;iframe src=a&gt;\n&lt;/div&gt;</p>");
});

test("an image is a link, never something that is fetched", () => {
  assert.equal(
    html('![a "cat"](https://example.org/c.png)'),
    '<p><a href="https://example.org/c.png" data-image="https://example.org/c.png">a &quot;cat&quot;</a></p>',
  );
  assert.doesNotMatch(html("![](x.png) ![y][r]\n\n[r]: z.png"), /<img/);
});

test("code keeps every character, and a language name cannot break out of its attribute", () => {
  const out = html('- a\n\n  ```x"><b onclick=y>\n  <b>&amp;\n  ```');
  assert.match(out, /data-language="x&quot;&gt;&lt;b"/);
  assert.match(out, /&lt;b&gt;&amp;amp;/);
});

test("definitions given from outside resolve a block's links", () => {
  assert.equal(blockToHtml("[a][r]", "[r]: https://example.org").trim(), '<p><a href="https://example.org">a</a></p>');
});

test("text made to be slow or deep is answered in linear time or shown as it is", () => {
  const hard = [
    "*",
    "[",
    ">",
    "- ",
    "$a",
    "`",
    "**中",
    "_a ",
    "\\(",
    "\\[a",
    "https://",
    "<a ",
    "<!--",
    "[a](",
    "$$\n",
    "|",
  ];
  for (const piece of hard) {
    const started = performance.now();
    const out = blockToHtml(piece.repeat(Math.ceil(10_000 / piece.length)));
    const ms = performance.now() - started;
    assert.ok(out.length > 0);
    assert.ok(ms < 2000, `${JSON.stringify(piece)} took ${ms} ms`);
  }
});

test("the lines of a poem stay lines", () => {
  assert.equal(html("雨歇花容减，\n客心无处著。"), "<p>雨歇花容减，<br>客心无处著。</p>");
});
