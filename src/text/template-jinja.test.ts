import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { renderJinja } from "./template-jinja.ts";

const { variables, cases } = JSON.parse(
  readFileSync(new URL("../../test/golden/template/jinja2.json", import.meta.url), "utf8"),
) as { variables: Record<string, unknown>; cases: { template: string; rendered: string }[] };

const render = (source: string) => renderJinja({ source, variables, nowMs: 0, outputUnits: 10_000 });

for (const [index, { template, rendered }] of cases.entries()) {
  test(`renders as Jinja2 does (${index}): ${template.slice(0, 50).replaceAll(/\s+/g, " ")}`, () => {
    assert.deepEqual(render(template), { kind: "text", text: rendered });
  });
}

test("a template's own refusal is told apart from its failing", () => {
  assert.deepEqual(render("{{ raise_exception('no') }}"), { kind: "refused", message: "no" });
  assert.equal(render("{{ 'x' | nofilter }}").kind, "failed");
  assert.equal(render("{% for %}").kind, "failed");
  assert.equal(render("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}").kind, "failed");
});

test("constructors and prototypes are out of reach", () => {
  for (const name of ["constructor", "__proto__", "prototype", "__class__"]) {
    assert.deepEqual(render(`{{ messages.${name} is defined or raise_exception is mapping }}`), {
      kind: "text",
      text: "false",
    });
    assert.notEqual(render(`{{ raise_exception.${name}('x') }}`).kind, "text");
  }
});

test("output over the bound is told, not cut", () => {
  assert.deepEqual(render("{% for i in range(20000) %}x{% endfor %}"), { kind: "too-long", units: 20_000 });
});

test("strftime_now shows the moment that the job names", () => {
  const result = renderJinja({
    source: "{{ strftime_now('%Y') }}",
    variables: {},
    nowMs: Date.UTC(2031, 5, 1),
    outputUnits: 9,
  });
  assert.deepEqual(result, { kind: "text", text: "2031" });
});
