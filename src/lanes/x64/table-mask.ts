// Rows of table.ts: mask registers and tiles. A mask instruction's letter is its lanes: b 8, w 16, d 32, q 64.

const letters = [
  { letter: "b", bytes: 1, gpr: 4, prefix: "66", wide: 0, fromGpr: "66.0f.0" },
  { letter: "w", bytes: 2, gpr: 4, prefix: "np", wide: 0, fromGpr: "np.0f.0" },
  { letter: "d", bytes: 4, gpr: 4, prefix: "66", wide: 1, fromGpr: "f2.0f.0" },
  { letter: "q", bytes: 8, gpr: 8, prefix: "np", wide: 1, fromGpr: "f2.0f.1" },
];

const masks = letters.map(({ letter, bytes, gpr, prefix, wide, fromGpr }) => {
  const code = `${prefix}.0f.${wide}`;
  return `
kmov${letter}    | K,KM${bytes} | ${code} 90    | 0 | vex
kmov${letter}    | M${bytes},K  | ${code} 91    | 0 | vex
kmov${letter}    | K,R${gpr}    | ${fromGpr} 92 | 0 | vex
kmov${letter}    | G${gpr},KU   | ${fromGpr} 93 | 0 | vex
kand${letter}    | K,KH,KU      | ${code} 41    | 0 | vex l1
kandn${letter}   | K,KH,KU      | ${code} 42    | 0 | vex l1
knot${letter}    | K,KU         | ${code} 44    | 0 | vex
kor${letter}     | K,KH,KU      | ${code} 45    | 0 | vex l1
kxnor${letter}   | K,KH,KU      | ${code} 46    | 0 | vex l1
kxor${letter}    | K,KH,KU      | ${code} 47    | 0 | vex l1
kortest${letter} | K,KU         | ${code} 98    | 0 | vex`;
});

export const tableMask = `
${masks.join("")}
ldtilecfg   | M64     | np.0f38.0 49/0  | 0 | vex
tilerelease |         | np.0f38.0 49:c0 | 0 | vex
tilezero    | T       | f2.0f38.0 49    | 0 | vex
tileloadd   | T,MS    | f2.0f38.0 4b    | 0 | vex
tileloaddt1 | T,MS    | 66.0f38.0 4b    | 0 | vex
tilestored  | MS,T    | f3.0f38.0 4b    | 0 | vex
tdpbf16ps   | T,TU,TH | f3.0f38.0 5c    | 0 | vex
tdpbssd     | T,TU,TH | f2.0f38.0 5e    | 0 | vex
tdpbsud     | T,TU,TH | f3.0f38.0 5e    | 0 | vex
tdpbusd     | T,TU,TH | 66.0f38.0 5e    | 0 | vex
tdpbuud     | T,TU,TH | np.0f38.0 5e    | 0 | vex
`;
