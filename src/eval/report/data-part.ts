// What a run learnt from, in a report card: counts, hashes, licences, from the card that lay with the data.
import { type Html, html } from "./html.ts";

interface Split {
  readonly documents: number;
  readonly characters: number;
  readonly bytes: number;
}

/** Of a card as `liang data prepare` writes it. */
interface Card {
  readonly total: {
    readonly read: number;
    readonly exactDuplicates: number;
    readonly nearDuplicates: number;
    readonly train: Split;
    readonly validation: Split;
  };
  readonly sources: readonly {
    readonly path: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly licence?: string;
  }[];
}

const row = (name: string, value: string): Html =>
  html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;

export function dataPart(card: Readonly<Record<string, unknown>> | null, hash: string): Html {
  if (card === null) {
    return html`<dl class="facts">${row("SHA-256 of all that is learnt", hash)}</dl>
      <p class="under">This run kept no card of its data.</p>`;
  }
  const { total, sources } = card as unknown as Card;
  const split = ({ documents, characters, bytes }: Split): string =>
    `${documents} documents, ${characters} characters, ${(bytes / 1e6).toFixed(1)} MB`;
  return html`<dl class="facts">
      ${row("to learn", split(total.train))} ${row("held out", split(total.validation))}
      ${row("read", `${total.read} records`)}
      ${row("duplicates", `${total.exactDuplicates} the same, ${total.nearDuplicates} nearly the same`)}
      ${row("SHA-256 of all that is learnt", hash)}
    </dl>
    <div class="scrolls">
      <table>
        <tr>
          <th>source</th>
          <th>bytes</th>
          <th>licence</th>
          <th>SHA-256</th>
        </tr>
        ${sources.map(
          ({ path, bytes, licence, sha256 }) =>
            html`<tr>
              <td>${path}</td>
              <td>${bytes}</td>
              <td>${licence ?? "not stated"}</td>
              <td><code>${sha256.slice(0, 16)}</code></td>
            </tr>`,
        )}
      </table>
    </div>`;
}
