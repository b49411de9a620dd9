// Single answers, each good or bad: what `dpo` learns with objective kto. Of a pair the better answer is a good one and the
// worse a bad one. The point of reference is how far the model has gone from where it started in general: the mean over a
// step's answers, each behind the question that the answer before it in the data was given to.
import { kto } from "../objectives/kto.ts";
import type { Split } from "../data/data-card.ts";
import type { CurrentModel } from "../training-data.ts";
import { type Sequence, answerSequence, batchOf, idsOf, joined, learntOf } from "./group-batch.ts";
import { type GroupedSplit, groupedData } from "./grouped-data.ts";
import { type Reference, createReference, inTurn } from "./reference.ts";
import type { StageInput, StageParts } from "./stage.ts";

interface MarkedSplit extends GroupedSplit {
  /** Of answers to their own questions, and to those of others. */
  readonly own: Reference;
  readonly mismatched: Reference;
  readonly mismatchedSequence: (document: number) => Sequence;
}

export function marked(input: StageInput, settings: Parameters<typeof kto>[0]): StageParts {
  const { rows, window } = input.recipe.batch;
  const splits = new Map<Split, MarkedSplit>();
  const data = groupedData(input, {
    reading: "pairs",
    uses: [0, 1],
    needs: "any",
    batch(split, groups) {
      const answers = answersOf(split, groups);
      const sequences = answers.map((document, element) => ({ ...answerSequence(split.store, document), element }));
      const { own } = splits.get(split.name)!;
      return {
        ...batchOf(sequences, answers.length),
        desirable: Float32Array.from(answers, (document) => (document % 2 === 0 ? 1 : 0)),
        reference: joined(answers.map((document) => own.of(document))),
      };
    },
  });
  for (const split of data.splits) {
    const { store } = split;
    const documents = answersOf(split, split.groups);
    const before = new Map(documents.map((document, i) => [document, documents.at(i - 1)!]));
    const sequenceOf = (document: number): Sequence => answerSequence(store, document);
    const mismatchedSequence = (document: number): Sequence => mismatch(split, before.get(document)!, document);
    const own = createReference({ documents, sequenceOf, rows });
    const mismatched = createReference({ documents, sequenceOf: mismatchedSequence, rows });
    input.own(own);
    input.own(mismatched);
    splits.set(split.name, { ...split, own, mismatched, mismatchedSequence });
  }

  return {
    objective: kto(settings),
    notes: data.notes,
    data: {
      ...data,
      async begin(beginning) {
        for (const [name, { own, mismatched }] of splits) {
          await own.begin(beginning, `reference-${name}.f32`);
          await mismatched.begin(beginning, `mismatched-${name}.f32`);
        }
      },
      async *updates(step, model) {
        const split = splits.get("train")!;
        const kl = await divergence(split, data.groupsOf(step), model);
        yield data.batches(step).map((batch) => ({ ...batch, kl }));
      },
      async *validation(model) {
        const split = splits.get("validation")!;
        const kl = await divergence(split, [split.groups], model);
        for (const batch of data.validation()) yield { ...batch, kl };
      },
    },
  };

  /** Another's question and this one's answer; of a question that leaves no room its end. */
  function mismatch({ store }: GroupedSplit, asked: number, answered: number): Sequence {
    const ids = idsOf(store, answered);
    const [begin] = learntOf(store, answered);
    const question = idsOf(store, asked).subarray(0, learntOf(store, asked)[0]);
    const cut = Math.max(0, question.length + ids.length - begin - window);
    const whole = [...question.subarray(cut), ...ids.subarray(begin)];
    const moved = question.length - cut - begin;
    const outputRows = learntOf(store, answered).map((place) => place + moved - 1);
    return { ids: whole, outputRows, element: 0, part: 0 };
  }

  /** The mean of log p - log r over answers to others' questions; [1]. */
  async function divergence(split: MarkedSplit, groups: readonly Uint32Array[], model: CurrentModel) {
    const documents = groups.flatMap((some) => answersOf(split, some));
    let sum = 0;
    for (const batch of inTurn(documents.map(split.mismatchedSequence), rows)) {
      const { logProbabilities } = await model.rows(batch);
      for (const value of logProbabilities) sum += value;
    }
    for (const document of documents) for (const value of split.mismatched.of(document)) sum -= value;
    return Float32Array.of(sum / documents.length);
  }
}

/** Documents of groups that are there. */
function answersOf({ store }: GroupedSplit, groups: Uint32Array): number[] {
  return [...groups].flatMap((group) =>
    [2 * group, 2 * group + 1].filter((document) => idsOf(store, document).length > 0),
  );
}
