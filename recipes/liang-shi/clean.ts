// A poem as the collections print it → the poem alone: notes and brackets away, marks in one form, simplified script. What
// has lost characters or is no poem is refused by name.
import { simplified } from "../../src/text/simplified.ts";
import { linesOf } from "../../src/train/rewards/lines.ts";

/** Why a text is no poem to learn from. */
export const refusals = ["empty", "fragment", "lost characters", "prose"] as const;
export type Refusal = (typeof refusals)[number];

/** Lines longer than this are prose: notes and prefaces. Poems have lines of up to 15 or so. */
const LINE_LENGTH_MAX = 20;

/** The poem's text, or why there is none. `fold` false keeps its script. */
export function cleanPoem(text: string, fold = true): { readonly text: string } | { readonly refused: Refusal } {
  if (/詩題|诗题|首句|原無題|缺詞文|缺词文|存目/.test(text)) return { refused: "fragment" };
  const plain = withoutNotes(text)
    .replaceAll(/[《》〈〉「」『』“”‘’"[\]]/g, "")
    .replaceAll(/[：:]/g, "，")
    .replaceAll(",", "，")
    .replaceAll(";", "；")
    .replaceAll("?", "？")
    .replaceAll("!", "！")
    .replaceAll(".", "。")
    .replaceAll(/\s+/g, "")
    .replaceAll(/([，。？！；、])[，。？！；、]+/g, "$1")
    .replace(/^[，。？！；、]+/, "")
    .replace(/[，；、]?$/, (end) => (end === "" ? "" : "。"));
  const whole = plain === "" || /[。？！]$/.test(plain) ? plain : `${plain}。`;
  const { lines, strange } = linesOf(whole);
  if (lines.length === 0) return { refused: "empty" };
  if (strange.length > 0 || /[\ue000-\uf8ff]/.test(whole)) return { refused: "lost characters" };
  if (lines.length < 2) return { refused: "fragment" };
  if (lines.some((line) => line.length > LINE_LENGTH_MAX)) return { refused: "prose" };
  return { text: fold ? simplified(whole) : whole };
}

/** Without what stands in （）, 〖〗 and 〔〕, nested or not; a bracket that is not closed takes all behind it. */
function withoutNotes(text: string): string {
  let depth = 0;
  let result = "";
  for (const letter of text) {
    if ("（(〖〔".includes(letter)) depth++;
    else if ("）)〗〕".includes(letter)) depth = Math.max(0, depth - 1);
    else if (depth === 0) result += letter;
  }
  return result;
}

/** A title or an author's name in simplified script, blanks and notes away. */
export const cleanName = (name: string): string =>
  simplified(withoutNotes(name))
    .replaceAll(/[《》「」[\]]/g, "")
    .replaceAll(/\s+/g, " ")
    .trim();
