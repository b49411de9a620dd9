// The stage that learns from a bigger model: beside the next token, the whole distribution that a teacher gives for it. The
// teacher is open while the run lasts and is asked for each micro-batch as it comes.
import { sum } from "../../base/collections.ts";
import { UsageError, show } from "../../base/errors.ts";
import { openModelParts } from "../../chat/model-parts.ts";
import { resolveModel } from "../../chat/resolve.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import { distill as distillLoss } from "../objectives/distill.ts";
import type { MicroBatch } from "../micro-batch.ts";
import { Scorer, logits } from "../scorer.ts";
import { trainingData } from "../training-data.ts";
import type { Stage } from "./stage.ts";

/** A logit that leaves nothing of a probability, and is a number still. */
const NEVER = -1e9;

export const distill: Stage = {
  summary: "texts or conversations, with what a bigger model says of each token",
  reading: "documents",
  speaks: false,
  async open({ recipe, start, train, held, own }) {
    const settings = recipe.objective;
    if (settings?.name !== "distill") {
      throw new UsageError("distill has one objective.", { field: "objective.name" });
    }
    const parts = await openModelParts(await resolveModel(settings.teacher));
    own(parts);
    checkSameWords(settings.teacher, start.tokenizer, parts.tokenizer);
    const texts = trainingData(train, held, recipe);
    const columns = start.model.vocabularySize;
    let teacher: Scorer<"logits"> | undefined;

    const { topK } = settings;
    async function* taught(batches: Iterable<MicroBatch>): AsyncGenerator<MicroBatch> {
      for (const batch of batches) {
        const into = new Float32Array(batch.outputRows.length * columns);
        if (teacher !== undefined) {
          const said = (await teacher.ask(batch)).logits;
          putLogits(said, into, batch.outputRows.length, topK);
        }
        yield { ...batch, teacher: into };
      }
    }
    return {
      objective: distillLoss(settings),
      besideBytes: sum([...parts.store.parameters.values()].map(({ byteLength }) => byteLength)),
      data: {
        ...texts,
        inNats: false,
        async begin({ executor, signal }) {
          const { rows } = recipe.batch;
          const { precision } = recipe;
          teacher = await Scorer.open(parts.model, parts.store, executor, logits, {
            rows,
            targets: rows,
            precision,
            ...(signal !== undefined && { signal }),
          });
          own(teacher);
        },
        updates: (step) => [taught(texts.batches(step))],
        validation: () => taught(texts.validation()),
      },
    };
  },
};

/** Logits of rows into as many rows of another width, of each the `most` largest (0: all); what is not there is never said. */
export function putLogits(from: Float32Array, into: Float32Array, rows: number, most: number): void {
  const [given, wanted] = [from.length / rows, into.length / rows];
  into.fill(NEVER);
  const both = Math.min(given, wanted);
  for (let row = 0; row < rows; row++) {
    const said = from.subarray(row * given, row * given + both);
    const least = most === 0 || most >= both ? -Infinity : said.slice().sort()[both - most];
    for (let id = 0; id < both; id++) if (said[id] >= least) into[row * wanted + id] = said[id];
  }
}

/** Throws UsageError where an id means one thing to the student and another to the teacher. */
function checkSameWords(teacher: string, of: Tokenizer, its: Tokenizer): void {
  const count = Math.max(of.vocabularySize, its.vocabularySize);
  for (let id = 0; id < count; id++) {
    const [mine, theirs] = [of, its].map((words) => (id < words.vocabularySize ? words.tokenText(id) : undefined));
    if (mine === theirs || mine === undefined || theirs === undefined) continue;
    throw new UsageError(
      `objective.teacher is ${teacher}, whose token ${id} is ${show(theirs)}, expected ${show(mine)} as the student has it.`,
      { field: "objective.teacher", hint: "A student learns from a teacher with the same tokenizer." },
    );
  }
}
