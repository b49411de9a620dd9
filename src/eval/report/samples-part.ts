// What the model said over time, in a report card: the last look open, earlier ones folded, what was copied from the training
// texts marked; the best and the worst where samples have rewards.
import type { RunLineOf } from "../../store/run-lines.ts";
import { type Html, html } from "./html.ts";

type Sample = RunLineOf<"sample">;

/** Earlier looks that are shown, spread over the run. */
const EARLIER = 6;
/** Of the best and of the worst. */
const EXTREMES = 3;

export function samplesPart(samples: readonly Sample[]): Html {
  const looks = [...Map.groupBy(samples, ({ step }) => step)];
  const last = looks.pop();
  if (last === undefined)
    return html`<h2>Samples</h2>
      <p class="under">This run took none.</p>`;
  const every = Math.ceil(looks.length / EARLIER);
  const earlier = looks.filter((_, i) => i % every === 0);
  return html`<h2>Samples</h2>
    <h3>After step ${last[0]}</h3>
    ${last[1].map(card)}
    ${earlier.toReversed().map(
      ([step, said]) =>
        html`<details>
          <summary>After step ${step}</summary>
          ${said.map(card)}
        </details>`,
    )}
    ${extremes(last[1])}${copiedPart(samples)}`;
}

function card({ prompt, text, copied, reward }: Sample): Html {
  const facts = [
    ...(reward === undefined ? [] : [`reward ${reward.toFixed(3)}`]),
    ...(copied == null ? [] : [`longest copied span: ${copied.characters} characters`]),
  ];
  return html`<div class="sample">
    <span class="said"><span class="prompt">${prompt}</span>${marked(text, copied?.text)}</span>
    ${facts.length === 0 ? undefined : html`<small>${facts.join(", ")}</small>`}
  </div>`;
}

/** The text with a span of it marked, where it has that. */
function marked(text: string, span: string | undefined): Html {
  const at = span === undefined ? -1 : text.indexOf(span);
  if (span === undefined || at < 0) return html`${text}`;
  return html`${text.slice(0, at)}<mark>${span}</mark>${text.slice(at + span.length)}`;
}

function extremes(samples: readonly Sample[]): Html | undefined {
  const rewarded = samples.filter(({ reward }) => reward !== undefined).sort((a, b) => b.reward! - a.reward!);
  if (rewarded.length < 2 * EXTREMES) return undefined;
  return html`<h3>Best</h3>
    ${rewarded.slice(0, EXTREMES).map(card)}
    <h3>Worst</h3>
    ${rewarded.slice(-EXTREMES).map(card)}`;
}

/** The spans that samples have from the training texts, the longest first. */
function copiedPart(samples: readonly Sample[]): Html | undefined {
  const looked = samples.filter(({ copied }) => copied !== undefined);
  if (looked.length === 0) return undefined;
  const found = looked
    .filter(({ copied }) => copied !== null)
    .sort((a, b) => b.copied!.characters - a.copied!.characters)
    .slice(0, 10);
  return html`<h2>Copied from the training texts</h2>
    <p class="under">
      The longest span of each sample, without its prompt, that a training document has word for word; ${looked.length}
      samples were looked up.
    </p>
    <div class="scrolls">
      <table>
        <tr>
          <th>step</th>
          <th>characters</th>
          <th>occurrences</th>
          <th>span</th>
          <th>from</th>
        </tr>
        ${found.map(
          ({ step, copied }) =>
            html`<tr>
              <td>${step}</td>
              <td>${copied!.characters}</td>
              <td>${copied!.occurrences}</td>
              <td>${copied!.text}</td>
              <td>${copied!.from}</td>
            </tr>`,
        )}
      </table>
    </div>`;
}
