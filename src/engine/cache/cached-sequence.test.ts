import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { uniform } from "../../base/random.ts";
import type { Layout } from "../layout.ts";
import { CachedSequence } from "./cached-sequence.ts";
import { PagePool } from "./page-pool.ts";

const PAGE = 4;
const WINDOW = 6; // of the sliding group
const SLIDING = 1;

/** One full and one sliding group, and a sequence whose ids count up. */
function setUp(window = 400) {
  const pagesPerSequence = Math.ceil(window / PAGE);
  const group = (name: string, slidingWindow?: number) => ({
    group: { name, layers: 1, kvHeads: 1, headSize: 2, window: slidingWindow },
    pagesHeld: pagesPerSequence,
    pages: 4 * pagesPerSequence,
  });
  const layout: Layout = {
    window,
    slots: 4,
    kvType: "f16",
    pageSize: PAGE,
    pagesPerSequence,
    chunkRows: 8,
    decodeRows: 4,
    outputRows: 8,
    groups: [group("full"), group("sliding", WINDOW)],
  };
  const pools = layout.groups.map(({ pages }) => new PagePool(pages));
  const sequence = (): CachedSequence => {
    const created = new CachedSequence(layout, pools);
    created.ids.set(Int32Array.from(created.ids.keys()));
    return created;
  };
  return { pools, sequence };
}

/** Indices of the pages that a sequence holds. */
const held = (sequence: CachedSequence, group: number): number[] =>
  Array.from(sequence.pages(group).entries()).flatMap(([i, page]) => (page < 0 ? [] : [i]));

const random = (i: number, below: number): number => Math.floor(uniform(4, 0, i) * below);

function grow(sequence: CachedSequence, count: number): void {
  sequence.reserve(count);
  sequence.advance(count);
}

describe("a cached sequence", () => {
  test("a full group keeps every page, a sliding one the window and 8 rows", () => {
    const { sequence } = setUp();
    const one = sequence();
    for (let i = 0; i < 100; i++) grow(one, 1);
    assert.equal(held(one, 0).length, 25);
    // rows 100 - 6 - 7 = 87 and up: pages 21 (84..87) to 24
    assert.deepEqual(held(one, SLIDING), [21, 22, 23, 24]);
  });

  test("rows can be taken back 8 at the end, no further than the pages reach", () => {
    const { sequence } = setUp();
    const one = sequence();
    for (let i = 0; i < 100; i++) grow(one, 1);
    assert.equal(one.reusable(92), 92);
    assert.equal(one.reusable(80), 0, "rows 75 to 79 are gone, and so is all before");
    assert.throws(() => one.rollback(80), RangeError);
    one.rollback(92);
    assert.equal(one.length, 92);
  });

  test("anchors keep what their lengths need: a prompt's end and where its cached part ended", () => {
    const { sequence } = setUp();
    const one = sequence();
    one.anchor(30);
    grow(one, 30);
    for (let i = 0; i < 50; i++) grow(one, 1); // a reply
    one.anchor(100); // the next prompt goes on from 80
    grow(one, 20);
    for (let i = 0; i < 50; i++) grow(one, 1);
    assert.deepEqual(one.anchors, [80, 100]);
    assert.equal(one.reusable(99), 99, "another reply: all of the prompt but its last token");
    assert.equal(one.reusable(95), 95);
    assert.equal(one.reusable(84), 80, "the last message edited: the rows after the anchor are gone, its own are not");
    assert.equal(one.reusable(30), 0, "older anchors are dropped");
  });

  test("another reply to the same prompt does not forget where its message began", () => {
    const { sequence } = setUp();
    const one = sequence();
    grow(one, 80);
    one.anchor(100);
    grow(one, 60);
    one.rollback(99);
    one.anchor(100);
    assert.deepEqual(one.anchors, [80, 100]);
  });

  test("a fork holds the same pages and neither side writes to them", () => {
    const { sequence, pools } = setUp();
    const [one, other] = [sequence(), sequence()];
    grow(one, 30);
    other.fork(one, 28);
    assert.equal(other.length, 28);
    assert.deepEqual(other.pages(0).subarray(0, 7), one.pages(0).subarray(0, 7));
    assert.deepEqual(held(other, SLIDING), [4, 5, 6]);
    grow(other, 1);
    assert.notEqual(other.slot(0, 28), one.slot(0, 28));
    // back into a shared page: only to its first row, and on a page of its own
    assert.equal(one.reusable(26), 24);
    one.rollback(24);
    const shared = other.slot(0, 24);
    grow(one, 1);
    assert.notEqual(one.slot(0, 24), shared);
    one.clear();
    other.clear();
    for (const pool of pools) assert.equal(pool.free, 400, "every page is free again");
  });

  test("a failed run leaves the length, and its pages serve the next", () => {
    const { sequence, pools } = setUp();
    const one = sequence();
    grow(one, 6);
    one.reserve(10);
    assert.equal(one.length, 6);
    const slot = one.slot(0, 9);
    grow(one, 4);
    assert.equal(one.slot(0, 9), slot);
    one.clear();
    for (const pool of pools) assert.equal(pool.free, 400);
  });

  test("random growth, rollback and forks never lose a row that a reusable length sees, nor leak a page", () => {
    const { sequence, pools } = setUp();
    const sequences = [sequence(), sequence(), sequence()];
    const written = new Map<string, number>(); // (group, slot) -> position that lies there
    let draw = 0;
    for (let step = 0; step < 3000; step++) {
      const one = sequences[random(draw++, 3)];
      const other = sequences[random(draw++, 3)];
      const action = random(draw++, 10);
      if (action < 6) {
        const count = Math.min(1 + random(draw++, 12), 400 - one.length);
        one.reserve(count);
        for (let position = one.length; position < one.length + count; position++) {
          for (const group of [0, 1]) written.set(`${group} ${one.slot(group, position)}`, position);
        }
        one.advance(count);
      } else if (action < 8) one.rollback(one.reusable(random(draw++, one.length + 1)));
      else if (action === 8) one.anchor(Math.min(400, one.length + random(draw++, 40)));
      else if (one !== other) one.fork(other, other.reusable(random(draw++, other.length + 1), PAGE));
      for (const each of sequences) {
        for (const [group, window] of [Infinity, WINDOW].entries()) {
          for (let j = Math.max(0, each.length - window + 1); j < each.length; j++) {
            assert.equal(written.get(`${group} ${each.slot(group, j)}`), j, `step ${step}`);
          }
        }
      }
    }
    for (const one of sequences) one.clear();
    for (const pool of pools) assert.equal(pool.free, 400);
  });
});
