// What a reply is worth, by a small function: one of the built-in ones, or a module of a person's own. Not here: what is
// learnt from rewards (policy/).
import { pathToFileURL } from "node:url";
import { LiangError, NotFoundError, UsageError, show } from "../../base/errors.ts";
import type { Message } from "../../chat/types.ts";
import { absolutePath, fileFacts, readText } from "#platform";
import type { Beginning } from "../training-data.ts";
import { type PoemRequest, poemReward } from "./poem.ts";

type Row = Readonly<Record<string, unknown>>;

export interface JudgedReply {
  /** What the model was asked: the last message's text, and all of them. */
  readonly prompt: string;
  readonly messages: readonly Message[];
  readonly reply: string;
  /** Whether the model ended it; otherwise it was cut off. */
  readonly ended: boolean;
  /** The row of the data that the prompt is from. */
  readonly row: Row;
}

/** What a place of a reply's text is worth besides: the token that stands there, or at the text's end the one that ended it. */
export interface PlaceReward {
  /** In UTF-16 units. */
  readonly place: number;
  readonly worth: number;
}

/** Named numbers of which `total` is the reward, or their sum where there is no `total`. All of them are logged. */
type NamedNumbers = Readonly<Record<string, number>>;

/** A number, named numbers, or these with what single places are worth. */
export type Judgement =
  number | NamedNumbers | { readonly whole: number | NamedNumbers; readonly places: readonly PlaceReward[] };
export type RewardFunction = (judged: JudgedReply) => Judgement | Promise<Judgement>;

/** What a module of rewards exports: `reward`, or where it needs something first, `openReward`. */
interface RewardModule {
  readonly reward?: RewardFunction;
  readonly openReward?: (options: Row) => RewardFunction | Promise<RewardFunction>;
}

export interface Rewards {
  /** Of which file, or which built-in one; in errors. */
  readonly name: string;
  /** The module's text: what a run depends on. */
  readonly source: string;
  readonly judge: RewardFunction;
}

/** A reply, and the line of its prompt in the file of prompts. */
export interface AskedReply {
  readonly judged: JudgedReply;
  readonly line: number;
}

/** Judges many replies together. */
export interface Judge {
  /** What a run depends on. */
  readonly source: string;
  begin?(beginning: Beginning): Promise<void>;
  /** In order. Throws LiangError "reward_failed" that names the line of a prompt. */
  judge(replies: readonly AskedReply[], signal?: AbortSignal): Promise<readonly Reward[]>;
}

const MODULE_BYTES_MAX = 16 * 2 ** 20;

const textOf = (row: Row, field: string): string => {
  const value = row[field];
  if (typeof value === "string") return value;
  throw new UsageError(`field ${field} is ${show(value)}, expected a text`);
};

/** By name. */
const builtIn: Readonly<Record<string, RewardFunction>> = {
  /** 1 where the reply is the row's `answer`, blanks around it aside. */
  answer: ({ reply, row, ended }) => Number(ended && reply.trim() === textOf(row, "answer").trim()),
  /** Of poems: the row's `request` says the form, and what else was asked for. */
  poem({ reply, row, ended }) {
    const { total, parts } = poemReward(reply, row["request"] as PoemRequest);
    return { total: ended ? total : 0, ...parts };
  },
};

/**
 * Opens a built-in function or a module's. Throws NotFoundError, UsageError for a module that exports neither `reward` nor
 * `openReward`, LiangError "reward_failed" where it does not open.
 */
export async function openRewards(from: string, options: Row = {}): Promise<Rewards> {
  if (Object.hasOwn(builtIn, from)) return { name: from, source: from, judge: builtIn[from] };
  const path = absolutePath(from);
  if ((await fileFacts(path))?.kind !== "file") {
    throw new NotFoundError(`There is no file ${from} of rewards.`, {
      hint: `Built in are ${Object.keys(builtIn).join(", ")} and model.`,
    });
  }
  const source = await readText(path, MODULE_BYTES_MAX);
  const judge = await failing(`${from} does not open`, async () => {
    const { reward, openReward } = (await import(pathToFileURL(path).href)) as RewardModule;
    if (typeof openReward === "function") return await openReward(options);
    if (typeof reward === "function") return reward;
    throw new UsageError("it exports neither a function reward nor a function openReward");
  });
  return { name: from, source, judge };
}

/** By a function, one reply after the other. */
export function judgeOf(rewards: Rewards): Judge {
  return {
    source: rewards.source,
    async judge(replies, signal) {
      const found: Reward[] = [];
      for (const { judged, line } of replies) {
        signal?.throwIfAborted();
        found.push(await rewardOf(rewards, judged, line));
      }
      return found;
    },
  };
}

/** Runs; what is thrown names the judge and the line. */
export const namingLine = <T>(name: string, line: number, run: () => Promise<T>): Promise<T> =>
  failing(`${name}, for line ${line} of the prompts`, run);

async function failing<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw new LiangError("reward_failed", `${what}: ${(cause as Error).message}`, { cause }, 3);
  }
}

export interface Reward {
  readonly total: number;
  /** Named numbers, `total` among them where they were given. */
  readonly parts: NamedNumbers;
  /** Left out where no place is worth more or less than the others. */
  readonly places?: readonly PlaceReward[];
}

/** Throws LiangError "reward_failed" that names file and line where the function fails or gives no number. */
export async function rewardOf({ name, judge }: Rewards, judged: JudgedReply, line: number): Promise<Reward> {
  return await namingLine(name, line, async () => {
    const found: unknown = await judge(judged);
    const { whole, places } = withPlaces(found);
    if (isNumber(whole)) return { total: whole, parts: {}, ...places };
    if (typeof whole !== "object" || whole === null) {
      throw new UsageError(`the reward is ${show(whole)}, expected a number or named numbers`);
    }
    const parts = whole as Record<string, number>;
    for (const [part, value] of Object.entries(parts)) {
      if (!isNumber(value)) throw new UsageError(`the reward's ${part} is ${show(value)}, expected a number`);
    }
    return { total: parts["total"] ?? Object.values(parts).reduce((a, b) => a + b, 0), parts, ...places };
  });
}

function withPlaces(found: unknown): { whole: unknown; places: Pick<Reward, "places"> } {
  if (typeof found !== "object" || found === null || !("places" in found)) return { whole: found, places: {} };
  const { whole, places } = found as { whole?: unknown; places: unknown };
  const isPlace = (value: unknown): value is PlaceReward =>
    typeof value === "object" &&
    value !== null &&
    "place" in value &&
    "worth" in value &&
    Number.isInteger(value.place) &&
    isNumber(value.worth);
  if (!Array.isArray(places) || !places.every(isPlace)) {
    throw new UsageError(`the reward's places are ${show(places)}, expected a list of { place, worth }`);
  }
  return { whole, places: places.length === 0 ? {} : { places } };
}

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
