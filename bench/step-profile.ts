// Where the time of programs' runs goes, by kernel, on one thread: keeps the code and the step tables of what a tier
// opens, then plays a table again on this thread and keeps each part's fastest time, so other work disturbs little.
import type { OpenModel, Program } from "../src/device/executor.ts";
import type { ModelCode } from "../src/device/cpu/code.ts";
import { CONTROL_ADDRESS, CONTROL_BYTES, STEP_WORDS, Word } from "../src/device/cpu/control.ts";
import { kernelFunctions } from "../src/device/cpu/thread-code.ts";
import type { Tier } from "../src/device/cpu/tiers.ts";
import type { Kernel } from "../src/lanes/index.ts";

export interface KernelTime {
  readonly name: string;
  readonly count: number;
  readonly parts: number;
  readonly ms: number;
}

export interface Spy {
  /** To be opened with. */
  readonly tier: Tier;
  /** The same model, of whose programs it is known which ran. */
  watch<P extends string>(model: OpenModel<P>): OpenModel<P>;
  /** Of every program that ran, as it ran last: times, best of so many rounds. */
  profile(rounds: number): ReadonlyMap<string, KernelTime[]>;
}

/** Where a program's step table lies, in words, and how many steps it has. */
interface StepTable {
  readonly table: number;
  readonly steps: number;
}

export function spyOn(tier: Tier): Spy {
  let kernels: readonly Kernel[] = [];
  let code: ModelCode | undefined;
  let memory: WebAssembly.Memory | undefined;
  const ran = new Map<string, StepTable>();
  const watched = (name: string, program: Program): Program => ({
    ...program,
    async run(extents, signal) {
      await program.run(extents, signal);
      const words = new Int32Array(memory!.buffer);
      ran.set(name, { table: words[Word.program] / 4, steps: words[Word.steps] });
    },
  });
  return {
    tier: {
      ...tier,
      compile(list, machine, shared, kept) {
        [kernels, memory] = [list, shared];
        return (code = tier.compile(list, machine, shared, kept));
      },
    },
    watch(model) {
      const programs = Object.entries<Program>(model.programs).map(([name, program]) => [name, watched(name, program)]);
      return { ...model, programs: Object.fromEntries(programs) as typeof model.programs };
    },
    profile(rounds) {
      const { buffer } = memory!;
      const words = new Int32Array(buffer);
      const base = tier.native?.addressOf(buffer) ?? 0;
      const scratch = base + Math.ceil((CONTROL_ADDRESS + CONTROL_BYTES) / 64) * 64; // a sleeping thread's
      const functions = kernelFunctions(code!.threadCode, memory!, scratch - base);
      const profileOf = ({ table, steps }: StepTable): KernelTime[] => {
        const best: Float64Array[] = [];
        for (let round = 0; round < rounds; round++) {
          for (let i = 0; i < steps; i++) {
            const [kernel, record, parts] = words.subarray(table + i * STEP_WORDS, table + i * STEP_WORDS + 3);
            best[i] ??= new Float64Array(parts).fill(Infinity);
            for (let part = 0; part < parts; part++) {
              const from = performance.now();
              functions[kernel](base + record, part, parts, scratch);
              best[i][part] = Math.min(best[i][part], performance.now() - from);
            }
          }
        }
        const byKernel = new Map<number, { count: number; parts: number; ms: number }>();
        for (const [i, times] of best.entries()) {
          if (times.length === 0) continue;
          const kernel = words[table + i * STEP_WORDS];
          const known = byKernel.get(kernel) ?? { count: 0, parts: 0, ms: 0 };
          const ms = times.reduce((a, b) => a + b, known.ms);
          byKernel.set(kernel, { count: known.count + 1, parts: known.parts + times.length, ms });
        }
        const times = [...byKernel].map(([kernel, row]) => ({ name: kernels[kernel].name, ...row }));
        return times.sort((a, b) => b.ms - a.ms);
      };
      return new Map([...ran].map(([name, table]) => [name, profileOf(table)]));
    },
  };
}

export function showProfile(title: string, times: readonly KernelTime[]): void {
  const total = times.reduce((sum, { ms }) => sum + ms, 0);
  const steps = times.reduce((sum, { count }) => sum + count, 0);
  console.log(`${title}: ${steps} steps, ${total.toFixed(2)} ms on one thread`);
  for (const { name, count, parts, ms } of times) {
    const share = ((100 * ms) / total).toFixed(1).padStart(5);
    const each = `${((1000 * ms) / count).toFixed(1)} us, ${(parts / count).toFixed(0)} parts`;
    console.log(`${ms.toFixed(3).padStart(9)} ms ${share} %  x${count} (${each})  ${name.slice(0, 150)}`);
  }
}
