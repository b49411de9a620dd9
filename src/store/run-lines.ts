// The lines of metrics.jsonl: what happens in a run, in the form in which it is kept. The page has a mirror of these types
// (server/api-types.ts). Not here: reading and writing them (run-reader.ts, runs.ts).

/** How well the held-out documents are predicted: of texts. */
export interface TextValidation {
  readonly tokens: number;
  readonly nats_per_token: number;
  readonly perplexity: number;
  readonly bits_per_byte?: number;
}

/** The same of pairs, answers and whatever else is no token of a text: means by weight. */
export interface ElementValidation {
  readonly elements: number;
  readonly loss: number;
  readonly measures: Readonly<Record<string, number>>;
}

export type Validation = TextValidation | ElementValidation;

/** Of texts nats a token. */
export const heldOutLoss = (look: Validation): number => ("loss" in look ? look.loss : look.nats_per_token);

/** The longest span of a sample, without its prompt, that one of the training documents has word for word. */
export interface CopiedText {
  readonly text: string;
  readonly characters: number;
  /** How often the documents have it. */
  readonly occurrences: number;
  /** One of the places, as FILE:LINE. */
  readonly from: string;
}

/** `step`: how many there were by then. */
export type RunLine =
  | {
      readonly type: "step";
      readonly step: number;
      /** Nats a target, before the step changed anything. */
      readonly loss: number;
      /** Length of the gradient before clipping. */
      readonly norm: number;
      /** Share of the peak learning rate. */
      readonly rate: number;
      /** Tokens read. */
      readonly tokens: number;
      readonly ms: number;
      /** What else the objective measures, before the step changed anything; absent: nothing. */
      readonly measures?: Readonly<Record<string, number>>;
    }
  | {
      readonly type: "left-out";
      readonly step: number;
      /** As text where they are no number. */
      readonly loss: number | string;
      readonly norm: number | string;
      readonly reason: string;
    }
  | ({ readonly type: "validation"; readonly step: number } & Validation)
  | {
      readonly type: "sample";
      readonly step: number;
      readonly prompt: string;
      readonly text: string;
      /** null: not a character of it is in the training documents. Missing: nobody looked. */
      readonly copied?: CopiedText | null;
      /** What it is worth, where the stage has rewards. */
      readonly reward?: number;
    }
  | {
      readonly type: "probes";
      readonly step: number;
      /** Questions whose right answer was the likeliest. */
      readonly right: number;
      readonly questions: number;
      /** Of the right answers, nats a token. */
      readonly nats_per_token: number;
    }
  | { readonly type: "checkpoint"; readonly step: number; readonly path: string };

export type RunLineOf<Type extends RunLine["type"]> = Extract<RunLine, { readonly type: Type }>;
