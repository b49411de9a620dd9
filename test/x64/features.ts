// Which features of a processor an encoded instruction needs, by Intel's SDM volume 2, with Linux's names. General
// instructions of the table (BMI's too, which every processor with AVX2 has) need none.
import type { Instruction } from "../../src/lanes/x64/instruction.ts";
import type { Form } from "../../src/lanes/x64/table.ts";
import type { CpuFeature } from "../../src/platform/native.ts";

/** What VEX encodings need besides avx. */
const vexRules: readonly (readonly [names: RegExp, feature: CpuFeature])[] = [
  [/^vpdp/, "avx_vnni"],
  [/^vfn?m(add|sub)/, "fma"],
  [/^vcvt(ph2ps|ps2ph)$/, "f16c"],
  [/^vpbroadcast|^vperm[dq]$|^vextracti128$/, "avx2"],
];

/** What EVEX encodings need besides avx512f. */
const evexRules: readonly (readonly [names: RegExp, feature: CpuFeature])[] = [
  [/^vpdp/, "avx512_vnni"],
  [/bf16$/, "avx512_bf16"],
  [/^v(and|xor)ps$|^vpmovm2d$|^vpextrd$/, "avx512dq"],
  [
    /^vperm(t2)?w$|^vmovdqu(8|16)$|^vp(shufb|alignr|maddwd|maddubsw)$|^vps(llw|rlw|raw|rldq)$|^vpackus|^vpaddw$/,
    "avx512bw",
  ],
];

const maskFeatures: Readonly<Record<string, CpuFeature>> = {
  b: "avx512dq",
  w: "avx512f",
  d: "avx512bw",
  q: "avx512bw",
};

export function featuresOf(instruction: Instruction, form: Form, extended: boolean): CpuFeature[] {
  const { name, bits } = instruction;
  if (name === "tdpbf16ps") return ["amx_tile", "amx_bf16"];
  if (name.startsWith("tdp")) return ["amx_tile", "amx_int8"];
  if (name.startsWith("tile") || name === "ldtilecfg") return ["amx_tile"];
  if (/^k(mov|and|andn|not|or|xnor|xor|ortest)[bwdq]$/.test(name)) return [maskFeatures[name.at(-1)!]];
  if (extended) {
    const isScalar = bits < 128 || /ss$|^vmov[dq]$|^vmovhlps$|^vpextrd$/.test(name);
    return [
      "avx512f",
      ...(bits < 512 && !isScalar ? ["avx512vl" as const] : []),
      ...evexRules.filter(([names]) => names.test(name)).map(([, feature]) => feature),
    ];
  }
  if (!form.vex || !name.startsWith("v")) return [];
  const rules = vexRules.filter(([names]) => names.test(name)).map(([, feature]) => feature);
  // vbroadcastss takes a register since AVX2; integers of 256 bits too.
  const fromRegister = name === "vbroadcastss" && instruction.operands[1].kind === "vector";
  const wideInteger = bits === 256 && name.startsWith("vp") && !/^vpermilps$/.test(name);
  return ["avx", ...rules, ...(fromRegister || wideInteger ? ["avx2" as const] : [])];
}
