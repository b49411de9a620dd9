// Data table: made by recipes/liang-shi/make-tables.ts. Do not edit.
// Counted over the ci of chinese-poetry/chinese-poetry (MIT): forms that at least 5 poems and 5 % of a tune have.

/** A tune, its poems, its forms by falling frequency: poems counted, tones of each line (p 平, z 仄, x either), rhyme of
 * each line (lines of one letter rhyme, - is none). */
export const cipai: readonly (readonly [name: string, poems: number, forms: readonly string[]])[] = [
  ["浣溪沙", 813, ["794 xzppzzp|xpxzzpp|xpxzzpp|xzxppzz|xpxzzpp|xpxzzpp AAA-AA"]],
  [
    "水调歌头",
    692,
    [
      "233 xzxxz|xzzpp|xpxzxz|xzzpp|xzxpxz|xzxpxz|xzzpp|xzxxz|xzzpp|xxx|pxz|zpp|xpxzxz|xzzpp|xzxpxz|xzxpxz|xzzpp|xzxxz|xzzpp -A-A--A-A--A-A--A-A",
      "220 xxxxz|xzzpp|xpxz|xxxzzpp|xzxpxz|xzxpxz|xzzpp|xzxpz|xzzpp|xxx|xxz|zpp|xpxz|xxxzzpp|xzxpxz|xzxpxz|xzzpp|xzxpz|xzzpp -A-A--A-A--A-A--A-A",
      "118 xzxpz|xzzpp|xpxzxz|xzzpp|xzxpxz|xzxpxz|xzzpp|xzxpz|xzzpp|xpx|pzz|zpp|xpxz|xxxzzpp|xzxpxz|xzxpxz|xzzpp|xzxpz|xzzpp -A-A--A-A--A-A--A-A",
      "71 xzxpz|xzzpp|xpxz|xxxzzpp|xzxpxz|xzxpxz|xzzpp|xzxpz|xzzpp|xxx|pxz|zpp|xpxzxz|xzzpp|xzxpxz|xzxpxz|xzzpp|xzxpz|xzzpp -A-A--A-A--A-A--A-A",
    ],
  ],
  ["鹧鸪天", 635, ["626 xzppzzp|xpxzzpp|xpxzppz|xzppzzp|pzz|zpp|xpxzzpp|xpxzppz|xzppzzp AA-A-AA-A"]],
  ["菩萨蛮", 629, ["622 xpxzppz|xpxzppz|xzzpp|xpxzp|xppzz|xzppz|xzzpp|xpxzp AABBCCDD"]],
  [
    "满江红",
    504,
    [
      "349 xzpp|xxzxpxz|xxzxpxz|xppz|xzxppzz|xpxzppz|zxpxzzpp|ppz|pxz|ppz|pxz|ppz|zxpxz|xppz|xzxppzz|xpxzppz|zxpxzzpp|ppz -A-A-A-A-A-A-A-A-A",
      "57 xzpp|xxzxpxz|pxz|xpxz|zppz|xzxppzz|xpxzppz|zxpxzzpp|ppz|pxz|pxz|xxz|ppz|zxpxz|zppz|xzxppzz|xpxzppz|zxpxzzpp|ppz -A--A-A-A-A-A-A-A-A",
    ],
  ],
  [
    "临江仙",
    492,
    [
      "368 xzxppzz|xpxzpp|xpxzzpp|xppzz|xzzpp|xzxppzz|xpxzpp|xpxzzpp|xppzz|xzzpp -AA-A-AA-A",
      "52 xxxxxxx|xpxzpp|xpxzzpp|xpxz|xzzpp|xzxppzz|xpxzpp|xpxzzpp|xpxz|xzzpp -AA-A-AA-A",
      "35 xzxpxz|xpxzpp|xpxzzpp|xppzz|xzzpp|xzxpxz|xpxzpp|xpxzzpp|xppzz|xzzpp -AA-A-AA-A",
    ],
  ],
  ["西江月", 476, ["468 xzxpxz|xpxzpp|xpxzzpp|xzxpxz|xzxpxz|xpxzpp|xpxzzpp|xzxpxz -AAA-AAA"]],
  ["减字木兰花", 404, ["392 xpxz|xzxppzz|xzpp|xzppzzp|xpxz|xzxppzz|xzpp|xzppzzp AABBCCDD"]],
  [
    "念奴娇",
    400,
    [
      "159 xpxz|zxpxz|xppz|xzpppzz|xzxppz|xzpp|xpxz|xzppz|xpxz|xpxzpz|xzxzpp|xpxz|xxppz|xzxppzz|xzxppz|xzpp|xpxz|xzppz|xpxz|xpxzpz --A-A--A-A--A-A--A-A",
      "77 xpxz|zpxxzxppz|xzxppzz|xzxpxz|xzpp|xpxz|xzppz|xpxz|xpxzpz|xzxzpp|xpxz|xzppz|xzxppzz|xzxppz|xzpp|xpxz|xzppz|xpxz|xpxzpz -A-A--A-A--A-A--A-A",
      "43 xpxz|zxpxz|pppz|xzpppzz|xzxppz|xzpp|xpxz|xzppz|xppz|xpxzpz|xzxzpp|xppzz|xppz|xzpppzz|xzxppz|xzpp|xpxz|zzppz|xppz|zppzpz --A-A--A-A--A-A--A-A",
    ],
  ],
  [
    "沁园春",
    393,
    [
      "236 xzxp|xxxx|xxxp|zxpxz|xpxz|xpxz|xzpp|xzpp|xpxz|xzxpxzp|ppz|zxpxz|xzpp|xpxzpp|xxzppxzp|zxpxz|xpxz|xpxz|xzpp|xzpp|xpxz|xzxpxzp|ppz|zxpxz|xzpp --A---A--A--AAA---A--A--A",
      "57 xzpp|xxxx|xxzp|zxpxz|xpxz|xpxz|xzpp|xzpp|xpxz|xzxpxzp|ppz|zxpxz|xzpp|pp|xzpp|zxzppxzp|zxpxz|xpxz|xpxz|xzpp|xzxp|xpxz|xzppxzp|ppz|zxpxz|xzpp --A---A--A--AAAA---A--A--A",
    ],
  ],
  ["蝶恋花", 392, ["387 xzpppzz|xzpp|xzppz|xzxppzz|xpxzppz|xzxppzz|xzpp|xzppz|xzxppzz|xpxzppz A-AAAA-AAA"]],
  ["点绛唇", 373, ["368 xzpp|xpxzppz|xppz|xzppz|xzpp|xzppz|ppz|xpxz|xzppz -AAA-AAAA"]],
  ["清平乐", 341, ["333 xpxz|xzppz|xzxppzz|xzxpxz|xpxzpp|xpxzpp|xzxpxz|xpxzpp AAAABB-B"]],
  [
    "贺新郎",
    334,
    [
      "232 xzppz|zppxpxz|xppz|xzxppxz|xzxpxz|xxzxpxz|xzxppxz|zxpxzppz|xzz|xpz|xpxzppz|zppxxxz|xppz|xzxppxz|xzxpxz|xxzxpxz|xzxppxz|zxpxzppz|xzz|zpz A-A-AA-A-AA-A-AA-A-A",
      "20 xzppz|zppxxxz|xppz|xzxppzz|xzxpxz|zxzxpxz|xzxppzz|zxpxzppz|xzz|xpz|xpxzppz|zppxz|xxxpxz|xzxppzz|xzxpxz|xxzpppz|zzxpxxz|zxpxzppz|xxz|zpz A-A-AA-A-AA-A-AA-A-A",
      "17 zzppz|zppxz|xxxpxz|xzxppzz|xzxpxz|xxzppxz|xzxppzz|zxpxzppz|xzz|zxz|xpzzppz|zxpxxxx|xpxz|xzxpxzz|xzxpxz|xxzppxz|xzxpxxz|zxpxzppz|pzz|xpz A-A-AA-A-AA-A-AA-A-A",
    ],
  ],
  [
    "虞美人",
    303,
    [
      "275 xpxzppz|xzppz|xpxzzpp|xzxpxzzpp|xpxzppz|xzppz|xpxzzpp|xzxpxzzpp AABBCCDD",
      "20 xpxzppz|xzppz|xpxzzpp|xpxzzpp|zpp|xpxzppz|xzppz|zppzzpp|xpxzzpp|zpp AABBBCCDDD",
    ],
  ],
  [
    "满庭芳",
    303,
    [
      "186 xzpp|xpxz|xpxzpp|xpxz|xzzpp|xzppxz|xxzxzpp|ppz|xpxz|xzzpp|xp|pzz|xpxz|xzpp|zxxxz|xzpp|xzxpxz|xxzxzpp|ppz|xpxz|xzzpp --A-A-A--A---A-A-A--A",
      "17 xzpp|xpxz|xxxzpp|xpxz|xzzpp|xzppxz|xpxxzpp|ppz|xpzz|xzzpp|xppzz|xpxz|xzpp|zxxxx|xzpp|xzxpxz|xxzxzpp|ppz|xpxz|xzzpp --A-A-A--A--A-A-A--A",
    ],
  ],
  ["好事近", 288, ["281 xzzpp|xzxppz|xzxppz|zxppz|xpxzzpp|xxxpz|xzxpxz|zxppz -A-A-A-A"]],
  [
    "水龙吟",
    268,
    [
      "118 xpxzpp|xpxzppz|xpxz|xpxz|xpxz|xzpp|xpxz|xppz|zxpxz|xpxz|xxzxpz|xzxpxz|zppxppz|xpxz|xpxz|xpxz|xzpp|xpxz|xppz|zxpxz|xpxz|zppz -A--A--A--A-A--A--A--A",
      "25 xpxzpp|zpxzppz|xpxz|xpxz|xpxz|xzpp|xpxz|xppz|zxpxz|xpxz|pxzppz|xzxpxz|zppxppz|xpxz|xpxz|xpxz|xzpp|xpxz|xppz|zpp|zzppxz|xppz -A--A--A--A-A--A--A--A",
      "23 xpxzpp|xpxzppz|xpxz|xpxz|xpxz|xzpp|xpxz|xppz|zxpxz|xpxz|xxzxpz|xzxpxz|zppxpxz|xpzz|xpxz|xpxz|xzpp|xpxz|xppz|zxpzzpp|xzzxpz -A--A--A--A-A--A--A-A",
    ],
  ],
  [
    "朝中措",
    247,
    [
      "228 xpxzzpp|xzzpp|xzxpxz|xpxzpp|xpxz|xpxz|xzpp|xzxpxz|xpxzpp AA-A--A-A",
      "14 xppzzpp|xzzpp|xzxpxz|xpxzpp|xpxzxpx|xzzpp|xzxppz|xpxzpp AA-A-A-A",
    ],
  ],
  ["渔家傲", 246, ["234 xzxppzz|xpxzppz|xzxppzz|pxz|xpxzppz|xzxppzz|xpxzppz|xzxppzz|pxz|xpxzppz AAAAAAAAAA"]],
  ["卜算子", 232, ["203 xzzpp|xzppz|xzppzzp|xzppz|xzzpp|xzppz|xzppzzp|xzppz -A-A-A-A"]],
  ["谒金门", 231, ["223 pzz|xzxppz|xzxppzz|xppzz|xzxpxz|xzxppz|xzxppzz|xppzz AAAAAAAA"]],
  ["南乡子", 220, ["189 xzzpp|xzppzzp|xzxppzz|pp|xzppzzp|xzzpp|xzppzzp|xzxppzz|pp|xzppzzp AA-AAAA-AA"]],
  ["玉楼春", 216, ["210 xpxzppz|xzxppzz|xpxzzpp|xzxppzz|xxxzpxz|xzxppzz|xpxzzpp|xzxppzz AA-AAA-A"]],
  ["南歌子", 204, ["180 xzppz|ppzzp|xpxzzpp|xzxpxzzpp|xzppz|ppzzp|xpxzzpp|xzxpxzzpp -AAA-AAA"]],
  ["踏莎行", 196, ["189 xzpp|xpxz|xpxzppz|xpxzzpp|xpxzppz|xzpp|xpxz|xpxzppz|xpxzzpp|xpxzppz -AA-A-AA-A"]],
  ["生查子", 183, ["172 xxxxp|xzppz|xzzpp|xzppz|xxxxp|xzppz|xzzpp|xzppz -A-A-A-A"]],
  [
    "望江南",
    183,
    [
      "150 pxz|xzzpp|xzxppzz|xpxzzpp|xzzpp|pzz|xzzpp|xzxppzz|xpxzzpp|xzzpp -A-AA-A-AA",
      "26 pxz|xzzpp|xzxppzz|xpxzzpp|xzzpp -A-AA",
    ],
  ],
  ["柳梢青", 182, ["172 xxpx|xpxz|xxpx|xzpp|xpxz|xxpx|xpxzpp|zxzppzx|xzpp|xpxz|xxpx A-A--AAA--A"]],
  ["浪淘沙", 174, ["163 xzzpp|xzpp|xpxzzpp|xzxppzz|xzpp|xzzpp|xzpp|xpxzzpp|xzxppzz|xzpp AAA-AAAA-A"]],
  ["鹊桥仙", 171, ["151 xpxz|xpxz|xzxpxz|xpxzzpp|zxzxpxz|xpxz|xpxz|xzxpxz|xpxzzpp|zxzxpxz --A-A--A-A"]],
  [
    "蓦山溪",
    171,
    [
      "154 xpxz|xzppz|xzzpp|zxxxpxz|xpxz|xzzpp|pxz|xpx|xzppz|xpxz|xzppz|xzzpp|zxxxpxz|xpxz|xzzpp|xxz|xpx|xzppz -A-A----A-A-A----A",
    ],
  ],
  ["如梦令", 156, ["153 xzxpxz|xzxpxz|xzzpp|xzxppz|pz|pz|xzxpxz AA-AAAA"]],
  ["诉衷情", 150, ["126 xpxzzpp|xzzpp|xxxxpz|xzzpp|pzz|zpp|zpp|xpxz|xzpp|xzpp AA-A-AA--A"]],
  [
    "木兰花慢",
    140,
    [
      "41 xppzz|xxzzpp|zxzpp|xpxz|xzpp|xpzpxz|zxpxzzpp|xzxpxz|xpxzpp|xpxzzpp|xzzpp|zxzxp|xpxz|xzpp|xpzpxz|zxpxzzpp|xzxpxz|xpxzpp -A--A-A-AAA--A-A-A",
      "23 xppzz|zpzzpp|zzzpp|ppzz|xzpp|pp|zpzz|zppxzzpp|xzppzz|zpxzpp|pp|zzpp|pzzzpp|zzxxx|ppzz|xzpp|pp|zpzz|zppxzzpp|pzppzz|zpxzpp -A--AA-A-AA-A--AA-A-A",
      "20 xppzz|zxzzpp|zxzpp|xpxz|xzpp|ppzpzz|zppzzzpp|xzppzz|xpxzpp|pp|zzpp|pzzzpp|zxxpx|ppzz|xzpp|ppzpzz|zxpxzzpp|xzppzz|xpxzpp -A--A-A-AAAA--A-A-A",
      "17 xppzz|xxzzpp|zxzpp|ppxz|xzpp|pxzpxz|zppxzzpp|xzxpxz|xpxzpp|pp|xzzpp|xzzpp|zxxxx|xpzz|xzpp|ppzxxz|zxpxzzpp|xzppxz|xpxzpp -A--A-A-AAAA--A-A-A",
    ],
  ],
  [
    "洞仙歌",
    139,
    [
      "10 xpxz|xxppz|zzppzpz|zppxz|xzpp|pxz|xzxpzz|xppzz|xzpp|xzppzpz|xxxpx|zzpp|xxzxpxz|xxxpxzpp|zxzpp|zpxz -AA---A--A--A--A",
      "10 xpxx|zzppz|xzppzpz|zxpxz|xzpp|xzz|xzxpxz|xppzz|xzxp|xzppzpz|zxxxx|xzpp|pzzxxppxz|zxxpxzpp|zzzxp|zppz -AA---A--A--A--A",
    ],
  ],
  [
    "青玉案",
    137,
    [
      "76 xpxzppz|zxzppz|xzxppzz|xpxz|zppz|xzppz|xpxzppz|xzppzpz|xzxppzz|xpxz|xpxz|xzppz AAA--AAAA--A",
      "18 xpxzppz|zxzppz|xzpppxz|xpxz|zpxz|xzppz|xpxzppz|zxzppzpz|xzpppzz|xppz|xpxz|xzppz AAA--AAAA--A",
      "14 xpxzppz|xxzppz|xzxppzz|xpxz|xpxz|xzppz|xpxzppz|zxzppz|xzxppzz|xpxz|xpxz|xzppz AAA--AAAA--A",
      "11 xpxzppz|xzppxxz|zzxppzz|xppz|zpxz|zzppz|xpxzppz|xzppzpz|xzxppzz|xpxz|zpxz|xzppz AAA--AAAA--A",
    ],
  ],
  ["阮郎归", 131, ["126 xpxzzpp|xpxzp|xpxzzpp|xpxzp|pzz|zpp|xpxzp|xpxzzpp|xpxzp AAAA-AAAA"]],
  ["醉落魄", 124, ["118 xpxz|xpxzppz|xpxzppz|xzpp|xzxpz|xpxzppz|xpxzppz|xpxzppz|xzpp|xzxpz AAA-AAAA-A"]],
  [
    "江城子",
    115,
    [
      "92 xpxzzpp|zpp|zpp|xzpp|xzzpp|xzxppzz|pzz|zpp|xpxzzpp|zpp|zpp|xzpp|xzzpp|xzxppzz|pzz|zpp AAA-A--AAAA-A--A",
      "7 xppzzxp|zpx|zpp|xxxx|pzzpp|xzzppzz|pzz|zpp AAA-A--A",
    ],
  ],
  ["采桑子", 111, ["108 xpxzppz|xzpp|xzpp|xzppzzp|xpxzppz|xzpp|xzpp|xzppzzp -AAA-AAA"]],
  ["小重山", 111, ["99 xzppxzp|xppzz|zpp|xpxzzpp|pxz|xzzpp|xzzpp|xppzz|zpp|xpxzzpp|pxz|xzzpp A-AA-AA-AA-A"]],
  [
    "摸鱼儿",
    108,
    [
      "44 zppxpxz|xpxzpz|xpxzppz|xzxppz|pzz|zxzxp|xzppz|ppxz|zxzpp|xpxz|xzzpz|ppz|xzxpxz|xpxzpz|xpxzppz|xzxpxz|pxz|zxzpp|xzppz|xpxz|zxzpp|xpxz|xzzpz -A-AA-AA--A-AA-AA-AA--A",
      "21 zppzppz|xpxzpz|xpxzppz|xzxpxz|pxz|xxzxpzzpxz|xpxz|zxzpp|xpxz|xzzpz|ppz|xzppxz|xpxzpz|xpxzppz|xzxppz|pzz|xxzxpxzppz|xpxz|xzzpp|xpxz|xzzpz -A-AAAA--A-AA-AAAA--A",
      "9 zppxpxz|xpxzpz|xpxzppz|xzxppz|pxz|xxz|xpxzppz|xpzz|zzzpp|xpxz|xzzpz|pxz|zxxpxz|xpxzpz|xpxzppz|xzxpxz|pxz|xxz|xpxzppz|ppzz|zzzpp|xpxz|xzzpz -A-AA-AA--A-AA-AA-AA--A",
      "7 zppzppz|xpxzpz|xpxzppz|xzxpxz|pzz|xxzxpxzppz|xpxz|zxzxp|xpxz|xzzpz|pxz|xzxpzz|xpxzxz|ppxzppz|xzxppz|pxz|zxzpp|xzppz|xpzz|xzzpp|xpxz|xzxpz -A-AAAA--A-AA-AA-AA--A",
    ],
  ],
  ["长相思", 107, ["97 xxp|xxp|xzppxzp|xpxzp|xxp|xxp|xzppxzp|xpxzp AAAAAAAA"]],
  [
    "瑞鹤仙",
    106,
    [
      "24 zppzz|zxxpx|xpxz|ppzpz|zxpxz|xpxz|ppzz|zpxppzz|zppxzpp|zzzppz|pz|xpxz|xzpp|zppz|ppzz|pxz|zpz|zxpxz|xpxz|xzxpzz|zppxzpp|zpzz A-AA-AAA-AA--AA-A--A-A",
      "6 xppzz|xzzpp|xxpz|pxxxz|zxpxz|xppx|ppzz|xxxpxxz|xxpxzpp|xzzpxz|xz|xpxz|zzpp|zpxz|xxxz|xpzxxz|zxpxz|xxxx|xzppzz|zxxxzpp|zpzz A-AA-AAA-AA--AAA--A-A",
    ],
  ],
  [
    "感皇恩",
    105,
    ["75 xzzpp|xpxz|xzppzpz|xpxz|xzxppz|xppzz|ppz|xzxx|xpxz|xzppzpz|xpxz|xzxpxz|xppzz|ppz -AA-A-A-AA-A-A"],
  ],
  [
    "木兰花",
    100,
    [
      "84 xpxzppz|xzxppzz|xpxzzpp|xzxppzz|xpxzppz|xzxppzz|xpxzzpp|xzxppzz AA-AAA-A",
      "7 xpxz|xzxppzz|xzpp|xzppzzp|xpzz|xzxppzz|xzxp|xzxpzzp AABBCCDD",
    ],
  ],
  [
    "醉蓬莱",
    98,
    [
      "76 zxpxz|xzpp|xppz|xzpp|zxppz|xzpp|xpxz|zzppz|xzpp|xpxz|xppz|xzpp|xpxz|xzpp|xppz|xzpp|zxppz|xzpp|xpxz|xzppz|xzpp|xpxz|xppz --A-A--A--A---A-A--A--A",
    ],
  ],
  [
    "导引",
    95,
    [
      "65 xpxz|xzzpp|xzzpp|xpxzppz|xzzpp|xpxzzpp|xzzpp|xpxzppz|xzzpp -AA-AAA-A",
      "12 xpxz|zzzpp|xzzpp|ppxzppz|xzzpp|xpxzxpx|xzzpp|ppxzppx|xzzpp|xpxz|xzzpp|xzzpp|xpxzppz|xzzpp|xpzzxpx|xzzpp|xpxzppz|xzzpp -AA-A-A-A-BB-BBB-B",
      "5 xzzxzpx|xzzzpp|xpxzxpz|xpxzzpp|xpxzxpx|pzzzxp|pxxxx|xpxzzpp AA-A-A-A",
    ],
  ],
  [
    "霜天晓角",
    94,
    [
      "57 xpxz|xzppz|xzxpxz|xxzxpz|xxpxz|xxpxz|xzxpxz|xxzzpz AA-AAA-A",
      "25 xpxz|xzppz|xzxpxz|pxzzpz|xz|xxz|xppzz|xzxppz|xxzzpz AA-AAAA-A",
    ],
  ],
  ["忆秦娥", 94, ["89 pxx|xpxzppx|ppx|xpxz|zxpz|xpxzppx|xpxzppz|ppz|xpxz|zxpz AAA-AAAA-A"]],
  [
    "喜迁莺",
    93,
    [
      "31 xpxz|zxzxx|xpxz|xzpp|xpxz|xzzppz|xxxxxz|xzxppz|xxz|zxpxz|xpxz|xz|pxz|xzxp|xzppz|xzpp|xpxz|xzzppz|xxxpxz|xzxppz|xxz|zxpxz|xppz A-A--A-A--AA--A--A-A--A",
      "14 pxx|xpx|xzzpp|xpxzzpp|xzzpp|xxx|pxz|xzxppz|xppzzpp|xzzpp -AAAA-BBCC",
      "9 xppz|zxzzx|ppxz|xzpp|xppz|xzzppz|xxxppz|xzxppz|xxz|zxpxz|xppz|xzpxz|xxxp|xzppz|zzpp|xpxz|xzxpxz|xzzpxz|xzxppz|xxz|zppxz|xppz --A--A-A--A--A--A-A--A",
    ],
  ],
  [
    "八声甘州",
    92,
    [
      "42 zppxzzpp|xxzpp|zxpxz|xpxz|xzpp|xxxpxz|xzzpp|xzppz|xzpp|xzxpxz|zxpxz|xzpp|zxpxz|xzzpp|zxpxpxz|zxpxzzpp|ppz|xpxz|xzpp -A--A-A-A--A-A-A--A",
      "19 zppzz|zppxxzpp|zxpxz|ppxz|xzpp|xzppxz|xzzpp|xzppz|xzpp|xzxppz|zxpxz|xzpp|zppxz|pzzpp|zppxpxz|zxpxzzpp|ppz|xpxz|xzpp -A--A-A-A--A-A-A--A",
      "7 zxpxzzpp|xxzpp|zxpxz|xpxz|xzpp|zzxpzz|xxzpp|xzxpz|xzpp|xzxpxz|zxpxz|xxpx|xxpxz|xzzpp|xpxxpxz|zxpxzzpp|xxzxpxz|xzxp -A--A-A-A--A-A-A-A",
    ],
  ],
  [
    "酹江月",
    92,
    [
      "40 xpxz|zxpxz|xpxz|xzpppzz|xzxpxz|xzpp|xpxz|xzppz|xpxz|xpxzpz|xzxzpp|xpxz|xzppz|xzxppzz|xzxppz|xzxp|xpxz|xzppz|xpxz|xpxzpz --A-A--A-A--A-A--A-A",
      "27 xpxz|zppxzxpxz|xzpppzz|xzxpxz|xzpp|xpxz|xzppz|xpxz|xpxzpz|xxxzpp|xpxz|xzppz|xzxppzz|xzpppz|xzpp|xpxz|xzppz|xpxz|xpxzpz -A-A--A-A--A-A--A-A",
      "7 xpxz|zxxxxxpxz|zzxppzz|xzppxz|zzpp|ppxz|xzppz|xpxz|xppzxz|xxxzpp|xxxxz|xpxz|xzxppzz|xzxpxz|xzxp|xpxz|xzppz|xpxz|xxxzpz -A-A--A-A--A-A--A-A",
    ],
  ],
  [
    "齐天乐",
    89,
    [
      "77 xpxzppz|ppzppz|zzpp|ppzz|xzxppz|ppzz|zxzpp|zppz|xzpp|zppzzpz|ppxxzz|zppxz|xxpz|zzpp|xpzz|xzxpxz|ppzz|zxzpp|zppz|xzpp|zppzz -A--AA-A-A--A--AA-A-A",
    ],
  ],
  ["眼儿媚", 88, ["84 xxxxzpp|xzzpp|xpxz|xpxz|xzpp|xpxzppz|xzzpp|xpxz|xpxz|xzpp AA--A-A--A"]],
  [
    "少年游",
    83,
    [
      "41 xpxzzpp|xzzpp|xxxx|xpxz|xzzpp|xpxzppz|xzzpp|xzpp|xppz|xzzpp AA--A-A--A",
      "12 xpxzzpp|xzzpp|xpxz|xpxx|xzzpp|xpxzppz|xxzzpp|zzpp|xppz|xzzpp AA--A-A--A",
      "5 pxxz|pxzz|xzzpx|zzpp|xppz|xzzxp|ppxzppz|xzxxx|xzpp|xpxz|xxzpx --A--A-A--A",
    ],
  ],
  [
    "定风波",
    77,
    [
      "55 xzppzzp|xpxzzpp|xzxppzz|pz|xpxzzpp|xzxppzz|pz|xpxzzpp|xzxppzz|xz|xpxzzpp AABBACCADDA",
      "11 xzppzzp|xpxzzpp|xzxppzz|pz|xpxzzpp|xzxppzz|xpxzzpp|zzxppzz|xx|xpxzzpp AABBA-ACCA",
    ],
  ],
  ["更漏子", 72, ["69 xxp|pzz|xzxpxz|pzz|zpp|xpxzp|xxx|xxz|xzxppz|pzz|zpp|xpxzp -AA-BB-CC-DD"]],
  [
    "汉宫春",
    71,
    [
      "38 xzpp|zxpxz|xzpp|xpxxzz|xzpp|xpzz|zxpxzpp|xzz|xpxz|xpxzpp|xxxpxz|zxpxz|xzpp|xpzpxz|xzpp|xpxz|zxpxzpp|pzz|xpzz|xpxzpp --A-A-A--A--A-A-A--A",
      "5 zzpp|zzpxz|xzpp|xpzx|xzxzpp|xpxz|zxpxxxp|xzz|xpxz|xpxzxp|xxxxxx|xxpxz|xzxp|xpxxxz|xzxp|xxxz|xxxxzpp|pxz|xxxz|xpxzpx --A-A-A--A--A-A-A--A",
      "5 xzpp|zxxxx|xxxp|xpxxxz|xzpx|xpxz|zppxzpp|xzzxpxz|xpxzpp|xxxpxz|zxxxz|xzpp|ppzpxz|xxpp|xpxz|zpxxzxp|xzz|xpxz|xxxzxp --A-A-A-A--A-A-A--A",
    ],
  ],
  [
    "永遇乐",
    70,
    [
      "22 xzpp|xpxz|pzpz|zzpp|xpxz|xzpxz|xpxz|ppxz|xzzpxz|xpx|xpxz|xxzxpz|ppzz|xpxz|xzxppz|xzpp|xpxz|xzpxz|xpxz|xpxz|xzzpxz|zpx|ppzz|xpzz --A--A--A--A--A--A--A--A",
      "16 xzpp|xpxz|xxpz|xzpp|xpxz|xzppz|xppz|ppxz|xzzppz|xxxppzz|xxzxpz|xpxz|ppxz|xzxpxz|xzpp|xpzz|xzpxz|xpxz|xpxz|xzzpxz|xpxppzz|zpzz --A--A--A-A--A--A--A-A",
      "6 xzxp|zpxz|xxpz|xzpp|xpzz|zzppz|xpxz|xpxz|xzzppz|xpxpxxz|xxzxxz|ppxz|xpxz|xzxpxz|xzpp|xxxz|xzxpz|xpxz|xpxz|xzzxpz|xpx|xpxz|zpzz --A--A--A-A--A--A--A--A",
    ],
  ],
  [
    "千秋岁",
    70,
    [
      "51 xpxz|xzppz|pzz|ppz|xppzz|xzppz|pzz|xpxzppz|xzppz|xzppz|pzz|ppz|xppzz|xzppz|pzz|xpxzppz AA-A-A-AAA-A-A-A",
      "13 xpxz|xzppz|xpzzppz|xppzz|xzppz|xxz|ppzzppz|xzppz|xzppz|xzz|xpz|xppzz|xzppz|xzz|ppzzppz AAA-A-AAA-A-A-A",
    ],
  ],
  [
    "江神子",
    69,
    [
      "58 xpxzzpp|zpp|zpp|xzpp|xzzpp|xzxppzz|pzz|zpp|xpxzzpp|zpp|zpp|xzxp|xzzpp|xzxppzz|pzz|zpp AAA-A--AAAA-A--A",
      "5 xppxzpx|zpp|zxp|xzxp|pxzpp|pzxppzz|xzzxxp|xpxzzpp|zpp|xxp|xzxp|xxzpx|xzxppzz|xzzzpp AAA-A-AAAA-A-A",
    ],
  ],
  [
    "声声慢",
    68,
    [
      "39 ppxz|xzpp|xpxzpp|zzpp|xxxzpp|xpzxxz|zxpxzpp|xxz|zxpxz|xzpp|xzxpxz|zxpxz|xzpp|zzpp|xxxzpp|xpzpxz|zxpxzpp|xxz|zppxzzp --A-A-A--A--A-A-A-A",
      "6 xpxz|zzpp|ppxxpx|xzpp|xxzxpx|ppzxxz|zppxxpx|xxz|zxpxz|zxpx|xzxppz|xxxxxxxpx|zzxp|xxzxxx|xpzpxz|zxpxxxx|xxx|zxpxxxx --A-A-A--A-A-A-A-A",
    ],
  ],
  [
    "祝英台近",
    65,
    [
      "54 zpp|pzz|xzzpz|xzpp|xzzpz|xpxzpp|xpxz|xxzxppz|zpz|xxxzpp|xxzpz|xzpp|xzzpz|xpxzpp|xpxz|xxzxppz --A-A--AA-A-A--A",
    ],
  ],
  [
    "风入松",
    63,
    [
      "30 xpxzzpp|xzzpp|xpxzppz|xxxxzpp|xzxpxz|xpxzpp|xpxzzpp|xzzpp|xpxzppz|xpxxzpp|xzxpxz|xpxzpp AA-A-AAA-A-A",
      "24 xpxzzpp|xzpp|xpxzppz|zxxxzpp|xzxpxz|xpxzpp|xpxzzpp|xzpp|xpxzppz|xpxxzpp|xzxpxz|xpxzpp AA-A-AAA-A-A",
    ],
  ],
  [
    "渔父词",
    60,
    [
      "51 xxxxxxp|xxxxzxp|pzz|zpp|xxpxzxp AA-AA",
      "9 zzxppzz|xpzzppz|xzxppzz|pxz|xpxzppz|xzxppzz|xpxzppz|xzxppzz|pxz|xpzzppz AAAAAAAAAA",
    ],
  ],
  ["瑞鹧鸪", 57, ["50 xxxzzxp|xxpxzzp|xxxxpxz|xxxzzxp|xpxzpxz|xxpxzxp|xxxxxxz|xxxxzxp AA-A-A-A"]],
  [
    "行香子",
    56,
    ["48 xzpp|xzpp|zppxzpp|xpxz|xzpp|zxpx|xxz|zpp|xxxx|xxpx|zppxzpp|xpxz|xzpp|zxpx|xxz|zpp AAA-A--A-AA-A--A"],
  ],
  ["丑奴儿", 55, ["49 xpxzppz|xzpp|xzpp|xzppzzp|xpxzppz|xzpp|xzpp|xzppzzp -AAA-AAA"]],
  [
    "乌夜啼",
    52,
    [
      "24 xzppzz|xpxzpp|xpxzppz|xzzpp|zzppxz|xpxzpp|xpxzppz|xzzpp -A-A-A-A",
      "19 xpzzpp|zpp|xzxppzzpp|xxz|xxz|zpp|xzxppzzpp AAABBAA",
    ],
  ],
  ["南柯子", 50, ["48 xzppz|ppzzp|xpxzzpp|xzxpxzzpp|xzppz|ppzzp|xpxzzpp|xzxppzzpp -AAA-AAA"]],
  [
    "风流子",
    50,
    [
      "9 xxxxz|ppzxzzpp|zxxxx|zpxz|xppz|xzpp|xxz|zppzz|xzzpp|xzxp|zppz|zpxz|xzpp|pppxz|ppzpzzzpp|xzxppz|xzpp|zxxxx|xppz|zppz|xzpp|xzxpxz|xzpp -A---A--A---A-A-A---A-A",
      "7 xxxxx|pxzpzzpp|xxxzx|zpxz|xppz|xzpp|xxz|xppzz|pxzpp|xzxp|xpxz|zppz|xzpp|xppxz|ppz|xzzzpp|xzxpxz|xzpp|zxxxx|xpxz|xpxz|pzpp|pzxxxz|xzpp -A---A--A---A--A-A---A-A",
    ],
  ],
  ["桃源忆故人", 49, ["47 xpxzppz|xzxpxz|xzxppz|xzppz|xpxzppz|xzxpxz|xzzppz|xzppz AAAAAAAA"]],
  [
    "酒泉子",
    48,
    [
      "13 xzxp|xzxppzz|xpxzzpp|zpp|xpxzzpp|xzxppzz|xpxzzpp|zpp --AAA-AA",
      "10 xzpp|xzxppzz|xpxzzpp|xzzpp|xpxzppz|xzxpxxz|zpxzzpp|xzzpp --AABBCC",
      "9 xzxp|xzxpxz|zpp|pzz|zpp|zpxzxpz|xxpzz|zpp|pzz|zpp AB-BACC-CA",
    ],
  ],
  ["凤栖梧", 47, ["45 xzpppzz|xzpp|xzppz|xzxppzz|xpxzppz|xzpppzz|xzpp|xzppz|xzxppzz|xpxzppz A-AAAA-AAA"]],
  ["一翦梅", 46, ["40 xzppzzp|xzpp|xzpp|xpxzzpp|xzpp|xzpp|xxxxzxp|xzpp|xzpp|xpxzzpp|xzpp|xzpp A-AA-AA-AA-A"]],
  [
    "烛影摇红",
    44,
    [
      "36 xzpp|xpxzppz|xpxzzpp|xzppz|xzppxz|zpxxpxz|xpxz|xzpp|xpxz|xzpp|zpxzppz|xpxzzpp|xzppz|xzppxz|zxxppxz|zpxz|xzpp|xppz -A-AAA--A-A-AAA--A",
      "6 xzpp|zpxzppz|xppzzpp|xzppz|xzxxxz|zpxppzz|xpxz|zxxx|xxxz -A-AAA--A",
    ],
  ],
  ["武陵春", 43, ["37 xzxppzz|xzzpp|xzppzzp|xzzpp|xxxxpxz|xzzpp|xzppzzp|xzzpp -AAA-AAA"]],
  [
    "最高楼",
    42,
    [
      "21 pxz|xzzpp|xzzpp|xpxzppz|xpxzzpp|zxp|pzz|zpp|xxzxppzz|zzzxppzz|xzz|zpp|xxxzxxz|xpxzzpp|zxp|pzz|zpp -AA-A--ABB-A-A--A",
    ],
  ],
  ["调笑", 42, ["40 xz|xpz|xzpppzz|xpxzppz|xzxpxz|xpxzppz|xzxppz AAAAAAA"]],
  [
    "夜行船",
    41,
    [
      "21 xzpppzz|xpxzppz|xzpp|xpxz|xzzppz|xzpppzz|xpxzppz|zzpp|xpxz|xzzppz AA--AAA--A",
      "6 zzxppz|xxxzppz|xpxzzxp|zxxxpxz|xxxxpxx|xxxzxpz|xxxxxxx|xxxzxxz AA-AAA-A",
    ],
  ],
  ["杏花天", 41, ["34 xpxzppz|xxzppxz|xpxzppz|xzxpxz|xxzxpxz|xxzppxz|xpzzppz|xzppxz AAAAAAAA"]],
  ["一落索", 40, ["22 zzxppz|xpxz|xpxzzpp|xxzppz|xzxpxz|xpxz|xpxzzpp|zxzppz AA-AAA-A"]],
  ["秦楼月", 39, ["39 pxz|xpxzppz|ppz|xpxz|xppz|xpxzppz|xpxzppz|ppz|xpxz|xppz AAA-AAAA-A"]],
  [
    "天仙子",
    38,
    [
      "26 xzxppzz|xzxppzz|xpxzzpp|pzz|pxz|xzxppzz|xzxppzz|xzxppzz|xpxzzpp|xzz|pxz|xzxppzz AA-AAAAA-AAA",
      "9 xzppxzx|xxpxxxx|xpxzzpp|xzz|xxx|xzppxzx AA--AA",
    ],
  ],
  ["醉桃源", 36, ["35 xpxzzpp|ppxzp|xpxzzpp|xpxzp|pzz|zpp|xpxzp|xpxzzpp|xpxzp AAAA-AAAA"]],
  [
    "望海潮",
    35,
    [
      "15 xpxz|ppxz|xpxzpp|xzzp|ppxz|xpxzpp|pzzpp|zxpxz|xzpp|zzpp|xpxzzpp|xpzzpp|zxpxz|zzpp|pzxp|ppzz|xpzzpp|xzzpp|zxpxz|xzpp|zzxpxz|xzzpp --A--AA-A-AA-A--AA-A-A",
      "14 ppxz|xpxz|ppxzpp|xzxp|xpxz|xpzzpp|pzzpp|zxpxz|xzpp|xzpp|zpxzzpp|xpxzpp|zxpxz|xzpp|xxxp|xpxz|xpzzpp|xzzpp|zxpxz|xzpp|xzpp|xpxzzpp --A--AA-A-AA-A--AA-A-A",
    ],
  ],
  ["画堂春", 34, ["22 xpxzzpp|xpxzpp|zpxzzpp|xzpp|xzxpxz|xpxzpp|xppzzpp|xzpp AAAA-AAA"]],
  ["恋绣衾", 33, ["30 xpxzzzp|zppxzzp|xzzppz|zpppzzp|xpxzppz|zxpxzzp|xxzppz|zxpxzzp AA-A-A-A"]],
  ["思佳客", 33, ["31 xzppzzp|xpxzzpp|xpxzppz|xzppzzp|pzz|zpp|xpxzzpp|xpxzppz|xzppzzp AA-A-AA-A"]],
  ["醉花阴", 32, ["31 xxxxpxz|xzppz|xzzpp|xzpp|xzppz|xpxzppz|xzppz|xzzpp|xzpp|xzppz AA--AAA--A"]],
  ["品令", 31, ["6 xpxz|zxzppz|xpxz|zxxz|xpxz|xzpp|xzzpxz|xpxz|zxzpxz|xpxz|xxxz|xxxx|xzxp|xzzpxz AA--A-AAA--A-A"]],
  ["昭君怨", 31, ["27 xzxpxz|xzxpxz|xzzpp|zpp|xzxpxz|xzxppz|xzzpp|zpp AABBCCDD"]],
  ["忆王孙", 30, ["27 xpxzzpp|xzppxzp|xzppxzp|zpp|xzppxzp AAAAA"]],
  [
    "兰陵王",
    30,
    [
      "9 zpz|xzppzz|ppz|xzxp|xzppzpz|xpxxz|xzppzz|pxz|xzxp|xzppzpz|xpzpz|zxzxp|xzxz|xpxzppz|xxxpz|zpxz|pxxxzxz|xxzpz|xz|zpz|xxzpp|xzpz|ppxzppz|xxxpz|zppz|xxxz|xzz|xxz AA--AAA--AA-AA--AAAA-AA-A--A",
      "5 zpz|xzxpzz|pxzxzxx|xzpxzpz|ppzxz|xzppxz|ppz|pzzp|xzppxpz|ppxpz|zxzpp|xxxz|xpxzxxz|xxzpz|zxxz|xppzzxz|zxxpz|pz|zxz|xxzpp|pzpz|ppxzppz|xxzxz|xxpz|xppz|xzz|zzz AA-AAA--AA-AA--AAAA-AA-A--A",
    ],
  ],
  [
    "金缕曲",
    30,
    [
      "27 xzppz|zxpxxxx|xpxz|xzxppxz|xzxpxz|zxzxpxz|xzxpppz|zxpxzppz|pzz|zpz|xpxzppz|zxpxxxx|xpxz|xzxppxz|xzxpxz|zxzxpxz|zzxpxxz|zxpxzppz|xxz|zpz A-A-AA-A-AA-A-AA-A-A",
    ],
  ],
  [
    "御街行",
    29,
    [
      "8 ppxzppz|xzppz|xpxzzpp|zzxpxz|xpxz|xpxz|xzppz|ppzzppz|xzppz|zppzzpp|xzzppz|xpxz|ppxz|xzppz AA-A--AAA-A--A",
      "6 ppxzppz|xxzpxz|xppzzpp|xzxppz|xpxz|zpxz|xzppz|xpxzppz|zxzxxz|xpxzzpp|xzxpxz|xpxz|xpxz|xzxpz AA-A--AAA-A--A",
    ],
  ],
  [
    "花心动",
    29,
    [
      "7 xzpp|zppxxxxpz|zzxp|xzpp|xzzppz|xxxzppz|xxzxppz|zpz|ppzz|zpxz|xzppzz|xxzpp|xppz|zzxp|xzpp|xzzppz|zpxzppz|xxzxppz|xpz|xpzxzz -A--A-A--AA-A--A-A-A",
    ],
  ],
  [
    "桂枝香",
    29,
    [
      "9 ppzz|zzzxp|pzpz|xzppzz|zpxz|ppzzppz|zppxppz|zppz|ppzz|xxpz|zzzppzz|zxzpx|pzpz|xzpp|zzzppz|xpzzppz|zppxzpz|zppz|ppzx|zpxz A-A-A-A--AA-A-A-A--A",
      "7 xpxz|xzzxp|xxpz|xzpp|xzzppz|ppxzppz|zppzxpz|xpxz|xpxz|xpxz|zxzxpzz|zxxxx|zxpz|xzpp|xzzppz|xpxzppz|zxxpxxz|xpxz|xpxz|zxpz A-A-A-A--AA-A-A-A--A",
    ],
  ],
  [
    "应天长",
    28,
    [
      "10 zpzz|pzzp|ppzzpz|zzzppz|ppzpz|ppz|pzz|zzzzppz|zpz|zzpp|xzxz|pzzpp|zzpp|pzzpz|zzzppz|pxzpz|ppz|pzz|zzzzppz|zpz|zzpp|pzpz --A-A-AA--A--A-A-AA--A",
    ],
  ],
  [
    "壶中天",
    28,
    [
      "12 xpxz|zppxz|xxxz|xzxppzz|xzpppz|xzpp|xpxz|xzppz|xppz|zpxzpz|xzxzpp|xpxz|xzppz|xzpppzz|xzppxz|xzpp|xpxz|xzppz|xpxz|zppzpz --A-A--A-A--A-A--A-A",
      "6 xpxz|xxxxxpppz|xzxppzz|xzppxx|xzpp|xpxz|zzppz|xpxz|zpxzxz|xzxzpp|xpxx|xxppz|xzxppzz|xzxppz|xzxp|xpxz|xzppz|xpxz|xppzxz -A-A--A-A--A-A--A-A",
    ],
  ],
  ["苏幕遮", 27, ["23 zpp|pzz|xzpp|xzppz|xzpppzz|xzpp|xzppz|zxp|pzz|xzxp|xzppz|xzpppzz|xzpp|xzppz -A-AA-A-A-AA-A"]],
  [
    "玉蝴蝶",
    26,
    [
      "9 zzxppz|zpzz|xzpp|zzpp|pzzzpp|zpxxpxz|xzzpzpp|zpp|zppz|xzpp|xp|xpxz|xpxz|zzpp|zzpp|zppzzpp|zpxxpxz|xxxxzpp|zpp|xpxz|xzpp --A-A-AA-AA--A-A-AA-A",
    ],
  ],
  [
    "捣练子",
    26,
    ["14 xzz|zpp|xzppzzp|xzxppzz|zpxzzpp -AA-A", "11 xzz|xpp|xxxzzxp|zpp|xzp|pzz|zpp|xpxzzpp|zpp|xzp -AA-A-AA-A"],
  ],
  [
    "贺新凉",
    26,
    [
      "20 xzppz|zppxxxx|xppz|xzxppzz|xzxpxz|zzzxppz|xzxppzz|zxpzzppz|pzz|zpz|xpzzppz|zppxxxx|xpxz|xzpppxz|xzxpxz|xxzxpxz|xzxppxz|zxpxzppz|pzz|xpz A-A-AA-A-AA-A-AA-A-A",
    ],
  ],
  ["女冠子", 25, ["19 xpxz|xzxpxz|zpp|xzppz|ppzzp|zppzz|xzzpp|xxpxz|zpp AAB-B-B-B"]],
  [
    "燕归梁",
    25,
    [
      "9 xzppzzp|xxzpp|xpxzzpp|xxzzpp|xpxz|ppxz|pzzpp|xppzzpp|xxzzpp AAAA--AAA",
      "6 xzppzzp|xxzpx|xppzzpp|xxxzpp|xpzzppz|xxzzpp|xpxzzpp|xxxzpp AAAA-AAA",
    ],
  ],
  [
    "高阳台",
    25,
    [
      "18 xzpp|xpxz|xpxzpp|xzpp|ppxzpp|xpzzppz|zxpxzpp|zpp|xzpp|xzpp|xpxzppz|zxpzz|xzpp|xzpp|xpxzpp|ppxzppz|zxpxzpp|zpp|xzpp|xzpp --A-A-A--A--A-A-A--A",
    ],
  ],
  [
    "六州歌头",
    24,
    [
      "6 xpxz|xzzpp|xxz|pxx|zxp|zxp|xzxxz|xxx|xxz|xxz|xxz|zxx|xzxp|xzppz|xzxp|xxpxz|xzzpp|xzpp|zpp|zxpz|xxz|xxz|zpp|xxz|xxx|zxx|zxp|zzppz|pxz|zpp|xxz|xxz|zpp|xzxpxz|xxxxzpp|zppxz|xzzpp|xzpp -A--AA-----A--A-AAA---A--AA--A--A-A-AA",
    ],
  ],
  ["夜游宫", 24, ["19 xzppzz|xxzxpxz|xzppzxz|zpp|zpp|xzz|xzppz|zxzxppz|xzxpzxz|zpp|zpp|xxz AAA--AAAA--A"]],
  [
    "水调歌",
    23,
    [
      "11 zzxpz|xzzpp|xpxz|xxxzzpp|xzppxz|xzxpxz|xzzpp|xxxpz|xzzpp|zxp|xxz|zpp|xxxz|xxxzzpp|xzxpxz|xzxpxz|xzzpp|xzxpz|xzzpp -A-A--A-A--A-A--A-A",
      "5 xzzxz|zzxpp|xpxzxz|xzzxp|xzxxpz|xzxpxz|xzzxx|zzxxz|xzzpp|zxx|xxz|xxx|xxxz|xxxzzpp|xzxpxz|xzxxxz|xzzpx|xzxpz|xzzpp -A-A--A-A--A-A--A-A",
    ],
  ],
  ["惜分飞", 23, ["20 xzpppxz|xzxpxz|xzppz|zpxzppz|xzpppzz|xzxpxz|xzppz|zpxzppz AAAAAAAA"]],
  [
    "杨柳枝",
    23,
    ["13 xxxxzxp|xxpxzxp|xxxxpxz|xxpxzxp AA-A", "9 zzppxzx|zpp|xpxzzpp|zpp|xzxppzz|zpx|xpxzzpp|zpp AAAA-AAA"],
  ],
  ["调笑令", 22, ["18 xz|xpz|xzxppzz|xpxzppz|xzxppz|xpxzxxz|xzxppz AAAAAAA"]],
  [
    "忆旧游",
    22,
    [
      "11 zppzz|zzpp|xzpp|zzppz|zppzz|xzpp|zpzxpz|xzzpp|zzzpp|ppxz|xzpp|pp|zpz|zzzpp|xzpp|zzppz|zxppz|xzpp|zxzxpz|xzzpp|zzzpp|ppzzpzp --A--A-A--AA--A--A-A-A",
    ],
  ],
  [
    "解连环",
    21,
    [
      "13 zppz|xxpxz|zppz|zxxxzpp|zxzxp|zppz|zzpp|xxzxppz|zppzz|xxxp|zxpz|ppzpzz|zppzz|xzpz|zzxxzpp|zxzpp|zxpz|zzpp|zxzxppz|zpxzpxx|zpxz A-A--A-A--AA-A--A-A-A",
    ],
  ],
  ["九张机", 21, ["18 zxx|xpxzzpp|xpzzppz|xpxz|xpxz|xzzpp AA---A"]],
  [
    "太常引",
    20,
    [
      "14 xpxzzpp|xxzzpp|xzzpp|zxzppzp|xpxz|xpxz|xzzpp|xzzpp|zxzppzp AAAA--AAA",
      "5 xxxzzpp|xzzxx|xzzpp|xxzppxp|xpxz|xxzz|xzzpp|xzzpx|xzzxpzp AAAA--AAA",
    ],
  ],
  ["唐多令", 20, ["17 xzzpp|ppzzp|zxpxzpp|xzxppzz|xzzzpp|xzzpp|xpxzp|zxpxzpp|xzxppzz|pxzzpp AAA-AAAA-A"]],
  ["秋蕊香", 19, ["14 xzxpxz|xzzppz|xpzzxpz|xzxpxz|xpzzppz|zpz|xpzzxpz|xzppxz AAAAAAAA"]],
  [
    "宴清都",
    19,
    [
      "6 xzppz|pxzzpxzxz|xpzz|xxxx|zpxz|xxzzpx|xxzxpzz|xzxxzpx|xpxzpz|pxzzpp|xpxz|pxxz|xpzz|ppzz|zppz|xpzzxz|zxzxpxz|xxpxzpp|xpzz AA--AAA-A--A--A-A-A",
      "6 zzppz|ppz|zppzpz|pxzz|ppzz|zpxz|ppzzpx|zxxppzz|xzzzzpp|ppzxpz|xpzzpp|xpzz|pzxz|xpzz|ppzz|zppz|pxzxpz|zzzppzz|zzpxzpp|ppzz A-A--A-A-A--A--A-A-A",
    ],
  ],
  [
    "步蟾宫",
    19,
    [
      "6 xpxzppz|xxzxpxz|ppxzzpp|xxzxpxz|xpxzppz|zxxxpxz|xpxzzxp|zxzxpxz AA-AAA-A",
      "5 xpxxxpz|zxxxpxz|xxxxzzpp|xzzxpzz|xpzzxxz|zxzzxxx|xxxpzzxp|zzzxxxz AA-AAA-A",
    ],
  ],
  [
    "扫花游",
    19,
    [
      "17 xpzz|zzzpp|zppz|zpzz|zppzz|zpxz|zzpp|zzppzz|zpz|zxzxp|pzpz|pzpzz|zzzpp|zppz|zpzz|zppxz|zppz|zzpp|zzppzz|zpz|zppzppz --AA-A-AA-AA-AA-A-AAA",
    ],
  ],
  ["木兰花令", 18, ["17 xpxzppz|xzxppzz|xpxzzpp|xzxppzz|xpxzppz|xzpppzz|xpxzzpp|xzxppzz AA-AAA-A"]],
  [
    "一丛花",
    18,
    ["15 xpxzzpp|xzzpp|ppzzppz|zxxxzpp|xxzx|xpxz|pzzpp|xpxzzpp|xzzpp|xpzzppz|zxxxzpp|xxzx|xpxz|pzzpp AA-A--AAA-A--A"],
  ],
  ["相见欢", 18, ["15 xpxzpp|zpp|xzxpxzzpp|pxz|pxz|zpp|xzxpxzzpp AAABBAA"]],
  ["宴桃源", 18, ["15 xzxpxz|xzxppz|xzzpp|xzxppz|pz|pz|xzxpxz AA-AAAA"]],
  [
    "天香",
    17,
    [
      "13 xzpp|xpxz|ppxzpz|xzxp|xpxz|zzzppz|xpzz|xzzppxz|xzppzz|ppzxpz|ppxpzz|zppzppz|zzxpxz|zppz|xzppxz|zzzppzpz|xzpp|ppzz --A--A-A-AAA-AAA-A",
    ],
  ],
  [
    "新荷叶",
    17,
    [
      "11 xzpp|xpxzpp|xzpp|xpxzpp|xpzz|xxpxzxp|xpxz|zpxzpp|xzpp|xpxzpp|xzpp|xpxzpp|xpxz|xxxxzpp|xpxz|zpxzpp -A-A-A-AAA-A-A-A",
    ],
  ],
  [
    "一萼红",
    17,
    [
      "13 zpp|zxpxz|xzzpp|xzpp|xpxz|xzxzpp|zxzppxz|xxzpzzpp|xzpp|xpxz|xzpp|xzxpxz|zxpxz|xzpp|xzpp|xpxz|xxxzpp|zxxppxz|zpxxzzpp|xzxpxx|xzpp A-A--A-A--A--A--A-A-A",
    ],
  ],
  [
    "法曲献仙音",
    16,
    [
      "5 pzxp|zpxz|zzxppz|xzpx|zxpz|xxzppz|xxzxxz|pxzpz|zpz|xpxzpxz|xzz|xxzpzz|xzzpx|zppxzpx|zzpp|zppxzxz|xppxz|zzxxpz --A--AAAA--A-A-A-A",
    ],
  ],
  ["迎春乐", 16, ["9 ppzzppz|xpzxpz|zppzzppz|xzzppz|zzpppzz|xxzxppz|xzzpp|xxxppz AAAAAA-A"]],
  [
    "六么令",
    16,
    [
      "13 xpxz|xzxpz|xpzxpz|xzxpz|xzppxz|zzppz|xpxz|ppxz|xzppzpz|xxpxzz|zzppz|xzxzpp|zzppz|xzppzz|xzppz|xppx|xpxz|zzppzpz -A-A-AA-A-A-A-AA-A",
    ],
  ],
  [
    "河满子",
    16,
    ["11 xzppxz|xpzzpp|zxxxpxz|xpxzpp|xzxpxz|xpxzpp|xzppxz|xpxzxp|xxxxpxz|xpxzpp|xzxpxz|xpxzpp -A-A-A-A-A-A"],
  ],
  ["破阵子", 16, ["16 zzppxz|xpxzpp|xzxppzz|xzppzzp|xpxzp|xzxpxz|xpxzpp|xzxppzz|xzppzzp|xpxzp -A-AA-A-AA"]],
  ["春光好", 16, ["6 pxz|zpp|zpp|xzxppzz|zpp|pxxzpp|xxzxxxx|xzxppzz|zpp -AA-AAA-A"]],
  ["糖多令", 16, ["13 xzzpp|xpxzp|zxpxzpp|xzxppzz|xzzzpp|xzzpp|xpxzp|zppxzpp|xzxppzz|xxzzpp AAA-AAAA-A"]],
  [
    "玉漏迟",
    16,
    [
      "11 zppxz|ppxz|xpxz|zzpp|xzxppz|zzppxz|zxzxppz|xzz|xpxz|xppz|xxzzpp|zzzpp|zppz|zzpp|zzxppz|xzxpxz|zxzxppz|pzz|xxzppz --A-A-AA-A--A-A-AAA",
    ],
  ],
  ["摊破浣溪沙", 16, ["15 xzppzzp|xpxzzpp|xzxppzz|zpp|xzxppzz|xpxzzpp|xzxppzz|zpp AA-A-A-A"]],
  [
    "疏影",
    16,
    [
      "9 xpzz|zxpxz|pxpz|xzpp|xzpp|xxzxpz|xpxzppz|zzzxppz|zxpxzpp|zzzppz|pzppzz|xpxzz|pzpz|zzpp|xzpp|zzppxz|xpzzppz|zzzxppz|zzpxzpp|zzzppz A-A--A-A-A--A--A-A-A",
    ],
  ],
  [
    "法驾导引",
    16,
    [
      "10 pxz|pxz|xzzpp|xzxppzz|xpxzzpp|xzzpp|xxz|xxz|xzzpp|xzxppzz|xpxzzpp|xzzpp AAB-BBCCB-BB",
      "6 pxz|pxz|xzzpp|xzxppzz|xpxzzpp|xzzpp AAB-BB",
    ],
  ],
  ["乐语", 16, ["9 xzxppzz|zzpp|xzppz|xzxppzz|xpxzppz|xxxxpzz|zzpp|xzppz|xzxppzz|xpxzxpz A-AAAA-AAA"]],
  [
    "多丽",
    15,
    [
      "5 zpp|xpxzxx|zxpppxz|zxxxxp|zxxxxxz|xxzxzpp|xzxp|xpxz|xpxzzxp|xxzxppz|xzzxp|ppz|xpzx|xzpp|zxpxxzz|xpxzpp|xxxxpxz|xxzxzxx|zzpp|xpxz|xppzzpp|xxzxpxz|xzxxp|xxz|xpxx|xzpp -A-A-A--A-A--A-A-A--A-A--A",
    ],
  ],
  [
    "二郎神",
    15,
    [
      "6 zpzz|xzzzppz|xzzpp|xpxz|xzppzz|zzppxxz|zxzxppz|xzzzp|pppz|zpxz|pz|xpxz|xxpz|xzzpp|xppz|pzppzz|zzxp|zppz|pzxppz|pzz|zzxpxz|zppz -A--A-A--AA-A--A--A--A",
    ],
  ],
  ["渔父", 15, ["6 xxxxzxp|xxpxzxp|xzz|zpp|xzppzzp AA-AA"]],
  [
    "真珠帘",
    15,
    [
      "6 xpzzppz|xpxxxpppz|xzzpp|xzppz|xxxxpxz|xxxxpxz|xz|xxxxx|xxpz|xzxxpx|zxpxz|xxxz|xzzpp|xzxpz|xzxppzz|xxzxpxz|xz|xxxxx|xxpz AA-A-AA-A--A-A-AA-A",
    ],
  ],
  [
    "庆清朝",
    15,
    [
      "5 zzxp|xpxx|xpxzpp|ppxz|xxxzpp|xzxpxz|xpxxzpp|xpz|zxxx|xzpp|xxzpxz|xxpxz|zzpx|xpzz|xxxzpp|xzxpxz|xpxzzpx|pxz|xxxx|xxpp --A-A-A--A--A-A-A--A",
    ],
  ],
  [
    "东风第一枝",
    15,
    [
      "9 zzpp|xpxz|xpxzxz|xpxzpp|zzzpzz|ppxz|zxzxpxz|zzxxzpp|zzzppz|xzzxxxz|pzxzpxz|zpxzpp|zxzpzz|ppxz|zxzxppz|zzxxzpp|zzzppz --A-A-A-AAA-A-A-A",
    ],
  ],
  [
    "甘州",
    15,
    [
      "11 zppxzzpp|xzzpp|zxpxz|xpxz|xzpp|xzxpxz|xzzpp|xzppz|xzpp|xzxpxz|zxpxz|xzpp|zppxz|xzzpp|zpxzpxz|zxppzzpp|ppz|xpxz|xzpp -A--A-A-A--A-A-A--A",
    ],
  ],
  ["荷叶杯", 15, ["9 xzxpxz|xz|zzzpp|xpxzzpp|pxp|pxp AABBBB"]],
  [
    "台城路",
    15,
    [
      "15 xpxzppz|ppzppz|zzpp|ppzz|xzpppz|ppzz|zxzpp|zppz|zzpp|zxpzzpz|pppzzz|zppzz|xzpz|xzpp|ppzz|xzpppz|ppzz|zzzpp|zppz|xzpp|zppzz -A--AA-A-AA-A--AA-A-A",
    ],
  ],
  ["减字浣溪沙", 15, ["15 xzppzzp|zppzzpp|zppzzpp|xzxppzz|zppzzpp|xpxzzpp AAA-AA"]],
  ["花舞", 15, ["11 xzppzzz|pzpp|pzppz|pzzppzz|zpxzpxz AAAAA"]],
  [
    "归朝欢",
    14,
    [
      "11 xzxppzz|xzxppzz|xpxzzpp|xpxzppz|zppzz|xpxzppz|zpp|xpxz|xzxpz|xzxppzz|xzppxzz|xpxzzpp|xpxzppz|xppzz|xpxzppz|zpp|zpxz|xzxpz AA-AAA--AAA-AAA--A",
    ],
  ],
  [
    "满路花",
    14,
    [
      "7 pxzxp|xzppz|xppzz|xpz|ppzz|zxppx|xxpxz|xzpp|zpxzpz|ppxz|zzppz|pppzz|ppz|xpzz|xzppz|xxpxz|xzxp|xpxzpz -A-A-AA-A-A-A-AA-A",
    ],
  ],
  [
    "婆罗门引",
    14,
    ["9 xpxz|zpxzzpp|xpxzpp|zzxpxz|xzzpp|xxpxz|xzpp|xpzp|zxzzpp|zzxpzz|xzpp|ppxz|xxzxzzxp|pzzxzpp -AA-A-AAA-A-AA"],
  ],
  ["相思引", 14, ["11 xzppzzp|xppzzpp|zppz|xzzpp|xzxppzz|zppzzpp|zppz|xzzpp AA-A-A-A"]],
  ["忆仙姿", 14, ["14 xzxppz|xzzppz|xzzpp|xzxppz|pz|pz|xzxppz AA-AAAA"]],
  [
    "倦寻芳",
    13,
    [
      "10 xpzz|xzpp|pxpz|xzpp|xzzppz|xzpppzz|xppzppz|zpp|zxpxz|zppz|zzzpppz|xzpp|xzpz|zzpp|xzzppz|xzpppzz|xpxzppz|zpp|zppzppz --A-A-A--A--A-A-A-A",
    ],
  ],
  [
    "乳燕飞",
    13,
    [
      "8 xzppz|zxpxxxx|xpxz|xzpppxz|zzxpxz|zzzxpxz|zzpppxz|zxpxzppz|xzz|xxz|xpxzppz|zppxxxx|xpxz|zzxppxz|xzxpxz|zxzppxz|xzxppxz|zxpxzppz|xzz|xpz A-A-AA-A-AA-A-AA-A-A",
    ],
  ],
  [
    "绮罗香",
    13,
    [
      "7 zzpp|xxzz|xzxppz|xzpp|xzxppz|xxzxzpp|zpzxppz|zxxxzpp|zpxzzpz|xxpxzz|xzppxz|ppxz|xzpp|pzzppz|xxxxzpp|zzxzppz|xpxxzpp|zpxzz --A-A-A-A--A-A-A-A",
    ],
  ],
  ["南楼令", 13, ["11 xzzpp|xpxzp|zppxzpp|xzxpxzz|xxzzpp|xzzpp|xpxzp|zppxzpp|xzxppzz|xzzzpp AAA-AAAA-A"]],
  ["豆叶黄", 13, ["13 xpxzzpp|xzppxzp|xzppzzp|zpp|xzppzzp AAAAA"]],
  ["滴滴金", 12, ["7 xpzzxpz|xpxzpz|xxxxxpx|xxxxz|ppxzxxz|xpxzpz|xxpxzpx|xxpxz AA-AAA-A"]],
  [
    "两同心",
    12,
    ["6 xxpx|xzpx|xxzxxxx|xxzxzpx|xpx|xzpp|xxxx|xxxxpx|xxxx|zzxxxxx|xpzxzxx|xpz|zzpp|xxpx AA-A--AAA-A--A"],
  ],
  [
    "祝英台",
    12,
    ["9 zpp|pzz|pzzpz|xzpp|xzzpz|xxxzpp|ppxz|zxzxpxz|zpz|xzxzpp|xxzxz|xzpp|xzxpz|zxxzpp|xppz|xxzxppz --A-A--AA-A-A--A"],
  ],
  ["留春令", 12, ["9 zppz|zppz|xppz|zxppzpp|xxzppz|xzpppxz|zxppz|xzppzpp|zxzppz --A-AAA-A"]],
  ["人月圆", 12, ["8 xpxzppz|xzzpp|xppz|xpxz|xzpp|xpxz|ppxz|xzpp|ppxz|ppzz|xzpp -A--A--A--A"]],
  ["一剪梅", 12, ["8 xzppxzp|xxpx|zzpp|xpxzzpp|xzpp|xzpp|zxpxzxp|zxpx|xzpp|xpxzzpp|xzpp|zzpp A-AB-AA-ABAA"]],
  ["七娘子", 12, ["9 xxxzppz|zxpxzppz|zzpp|xpxz|xpxzpxz|xpzzppz|zxpxzppz|xzxp|xpxz|xpxzppz AA-AAAA-AA"]],
  [
    "暗香",
    12,
    [
      "5 xpxz|zxpzz|xxxz|xzxp|xzppzpx|xzxpzz|xzxpppz|zzz|xzpp|pzzpz|xz|zxz|xzxzp|xxxz|xpzz|xzxpzpz|xzppzz|xxzxxxz|xzzpzz|zxzz A-A---A--A-A-A-A-A-A",
    ],
  ],
  [
    "隔浦莲",
    12,
    ["11 pppzzz|zzppz|zzppz|ppxxpz|pzpzz|ppz|xzppz|zpz|ppzz|xpxzpz|ppzz|zzxppz|pzppzzz|pz|pppzpz AA-AAAAA-A-AAAA"],
  ],
  ["柳枝", 12, ["8 xxpxxxp|zxpxzxp|xxxxpxz|xxxxzxp AA-A"]],
  ["调笑转踏", 12, ["12 pz|xpz|xzpppzz|xpxzppz|xzxppz|ppxzppz|xzxppz AAAAAAA"]],
  ["渔家傲引", 12, ["12 zzxppzz|xpzzppz|xzxppzz|pxz|xpxzppz|xzxppzz|xpxzppz|xzxppzz|pxz|xpxzppz AAAAAAAAAA"]],
  [
    "垂丝钓",
    11,
    ["6 zpzz|xxxzpz|zxxp|xxpz|pxz|zxpzz|xpz|zxpxz|zpzz|pppzpz|xpzz|xzppz|pzxpz|pxz|zzpzz AA-AAAAA-AAAAAA"],
  ],
  ["秋夜雨", 11, ["7 ppzzppz|xpxzpz|xppzz|zzzpppz|ppxzxpz|zzppzpz|xzpzz|xzzxppz AA-A-AAA"]],
  ["定西番", 10, ["7 xzxpxz|pzz|zpp|xpp|xzxppz|xpxzp|xzxpxz|zpp --AA-A-A"]],
  ["一斛珠", 10, ["8 xpxz|zpxzxpz|xpxzppz|zzxp|zzppz|xxxxpxz|ppxzppz|xpxzppz|xzpp|zzppz AAA-AAAA-A"]],
  ["安阳好", 10, ["10 ppz|xzzpp|zzxppzz|xppzzpp|xzzpp|pzz|pzzpp|xzpppzz|xpxzzpp|pzxpp -A-AA-A-AA"]],
  [
    "传言玉女",
    10,
    ["6 xzpp|pzxppz|zxxx|zppxz|pxzz|zzxppz|ppxz|xppz|zzpp|xxxxxz|xpxz|zppxx|ppxx|zxxppz|xpxz|xppz -A-ABA-A-ABA-A-A"],
  ],
  ["浣沙溪", 10, ["9 xzppzzp|xpxzzpp|xpxzzpp|zzxppzz|xppzzpp|zppzzpp AAA-AA"]],
  ["极相思", 10, ["6 xpxzpp|xzzpp|ppxz|ppxz|zzxp|xzxpxzx|xxxzzpp|xpxz|ppxz|xzxx AA--A-A--A"]],
  ["潇湘神", 10, ["10 zpp|zpp|xpxzzpp|xzxppzz|xpzzzpp AAA-A"]],
  [
    "满庭霜",
    10,
    [
      "9 xzpp|ppxz|xxxzpp|zpxz|xzzpp|xzxpxz|xxzxzpp|ppz|xpxz|pzzpp|xp|pzz|xpxz|xzpp|zxxpz|xzpp|xzppzz|pxzxzpp|ppz|ppxz|pzzpp --A-A-A--A---A-A-A--A",
    ],
  ],
  ["南徐好", 10, ["10 ppz|xzzpp|xzpppzz|xppzzpp|pzzpp|pzz|pzzpp|xzxppzz|xpxzzpp|xzzpp -A-AA-A-AA"]],
  ["渔歌", 10, ["10 xzxppzz|zpxzppz|zzxppzz|xpz|ppzzppz AAAAA"]],
  ["减兰十梅", 10, ["10 xpxz|zzpppzz|zzpp|xzppxzp|xpxz|xzxppzz|xzpp|xzppzzp AABBCCDD"]],
  ["巫山一段云", 9, ["5 xzpxz|xxzzp|xpxzzpx|xxzpp|xxxpxz|xzxpxz|xxpzzpp|xzzpp -AAABBCC"]],
  ["解佩令", 9, ["6 xppz|xxxz|xxxxxxz|xzxp|zxxxppz|zppzpxz|xpxz|xxxz|xpxxpxz|xzpp|xxxxpxz|zxxzpxz -AA-AA-AA-AA"]],
  [
    "三登乐",
    9,
    ["6 xzxp|xzxxpxz|zppzpzz|zxpxxz|xpxz|xxzx|zpxz|zpppzz|zpxz|zppzpzz|zppxzz|xppz|xxzx|zpxz -AA-A-A-AA-A-A"],
  ],
  [
    "庆春宫",
    9,
    [
      "9 xzpp|ppxz|zpxzpp|pzpp|xpxz|xpxzpp|zppz|zxzppzp|xppz|xzpp|xzpp|ppzzpp|xzxp|xzpp|xzpp|xppz|xxxzpp|xppz|zxzppzp|xpxz|xzpp|xzpp --A--A-A--AA-A--A-A--A",
    ],
  ],
  ["思越人", 9, ["5 xzxpzzx|xpxzzpp|xxxzxpx|xzxxxxx|pzz|zpp|xpxzzpp|xpxzxpz|xzppxzp AA-A-AA-A"]],
  [
    "大",
    9,
    [
      "8 zzpp|pxz|pzpppz|pppzz|zxpxz|xppz|zzpp|ppzz|xzxppz|xxppz|zxpxz|zppz|zxzxp|xpxz|zppz|xppzz|zxzxzppz|xzzppxz|zzpp|xppzppz|zzxpz|xxzxpxz|zpzppz|xzxz|xzppxz|zpzpzz --A--A--A--A--AAA--A-AA-AA",
    ],
  ],
  [
    "红林擒近",
    9,
    ["8 xzppz|zppzp|xzzpz|xpzpp|pxppzz|xxxzpp|zxxzpp|pxxpp|xzpzz|xzzpp|xpzz|ppxzpp|zpxxz|ppzz|zpxzpzp -A-A-AAA-A-A--A"],
  ],
  ["梦江南", 9, ["6 pzz|xzxpp|xzxppzz|xpxzzpp|pzzpp -A-AA"]],
  ["卖花声", 8, ["7 xzzpp|xzpp|xpxzzpp|xzxppzz|xzpp|xzzpp|xzpp|xpxzzpp|zzxppzz|xzpp AAA-AAAA-A"]],
  ["愁倚阑", 8, ["7 pxz|zpp|zpp|xzxppzz|zpx|xxxzpp|xpzxzpp|xzxppzz|zpp -AA-AAA-A"]],
  [
    "鱼游春水",
    8,
    [
      "8 pppxz|zzpppzz|ppxz|xzxpxz|xzxpxzx|zzpxpxz|pxzp|xppz|zzppzz|xzxppxz|xpxzpp|ppxz|xxxxxpz|xzppxxz|pxzx|xppz AA-A-A-AAA-A-A-A",
    ],
  ],
  ["添字浣溪沙", 8, ["8 xzppzzp|xppzzpp|zzxppzz|zpp|zzpppzz|ppzzzpp|xzzppzz|zpp AA-A-A-A"]],
  [
    "洞庭春色",
    8,
    [
      "7 xzxp|zpxz|xxzp|xxpxz|ppxz|xpxz|xzpp|zzpppxz|xxxxpxzp|pxz|zxpxz|xzpp|ppzpxz|zxxxzpp|xxpxz|xpxz|xpxz|xzpp|xzppxxz|zxzppxzp|pxz|zxpxz|xzpp --A---A-A--A-A---A-A--A",
    ],
  ],
  [
    "侧犯",
    8,
    ["5 zpxz|zpxzppz|pz|xzzppzxz|ppzxx|xzxpz|xz|xzzpxzpz|pxxz|zzppx|pzz|zxxpzzpx|zzpp|zxxz|xzxx|zppz -AAA-AAA-AAA-A-A"],
  ],
  [
    "探春慢",
    8,
    [
      "7 xzpp|xpxz|xxxxxz|xzpp|xpxz|xzxpxz|xzxpz|zxzxpxz|xpxzpp|zxxxpz|xzxpxz|xxzxp|xxpz|zzpp|xpxz|xzxppz|xzppz|zxzxppz|xzpp|xpxxxz --A--A-A-A--A--A-A-A",
    ],
  ],
  [
    "氐州第一",
    8,
    [
      "6 pxpp|pxzz|ppzzxz|zzpp|ppzz|pzppzz|xzpp|zxzxpxz|xzpp|xpxx|zppz|zzxppxz|xxzxpxz|zzpp|xpxz|xzppz|zpppxz|ppzppzz|zzpp|xppxpxz --A--A-A--AAA--A-A-A",
    ],
  ],
  ["采莲舞", 8, ["5 xzpxpzz|ppzzxpz|xzpppzz|pxz|xpxzpxz|xzxxpzz|xxzzppz|zzxpxzx|xpz|xpxzppz AAAAAAAAAA"]],
  ["渔夫舞", 8, ["8 zzpppzz|xpxzppz|xzxppzz|pxz|xpxzppz AAAAA"]],
  ["渔歌子", 8, ["8 zpp|pxz|xpxzppz|xxx|xxx|xzxppz|zpp|pzz|xpxzppz|xxx|xxx|xzppxz -AA-AA-AA-AA"]],
  ["鹊踏枝", 7, ["7 xzpppzz|xzxp|xzpxz|xzxppzz|ppzzppz|xzxppzz|xzpp|xzppz|xzxppzz|xpxzppz A-AAAA-AAA"]],
  ["步虚词", 7, ["6 ppz|xzzpx|xzxppzz|xpxzzpx|xzzpp -A-AA"]],
  ["河渎神", 7, ["7 pzzpp|xxxzxp|zpxzzpp|zxxxxp|xzxppxz|xxpxxz|xzxpxz|xppzpx AAAABBBB"]],
  ["醉太平", 7, ["5 ppzp|ppzx|xpxzpp|zppzp|xpzp|xpzp|xxxzpp|zxxzx AAAAAAAA"]],
  [
    "芰荷香",
    7,
    [
      "5 xpp|xpxxz|xzpp|zpxz|zxxzpx|xpxz|zzxxzxp|xxzxxx|xpzx|xzpp|xzxpzxz|xxpxz|pzpx|zpxz|xxxzpp|xpxz|xzxxzxx|xxzzxp|ppzz|zzpp A-A-A-AA-A--A-A-AA-A",
    ],
  ],
  [
    "摸鱼子",
    7,
    [
      "5 zxpxpxx|ppxzpz|ppxzpxz|xzzppz|pzz|xxzpp|xzxpz|xpxz|xzzpx|ppxz|xzzpz|pxz|xzppxz|xppzxz|pxzzxpz|xzxpxz|xzz|xzzxp|xzxpz|xpzz|xxzpx|xxxz|xzzpz -A-AA-AA--AAAA-AA-AA--A",
    ],
  ],
  [
    "瑶台聚八仙",
    7,
    [
      "5 xzpp|xzzxxxzxx|zxxx|xzzzpx|zzpppzz|zpzzzpp|xpp|zpzz|xzxp|xxxpzz|xxpzz|xzpp|zxxp|xzzzxp|ppzxxz|xxzxxxzx|ppz|xxppz|xzpp AA-A-AA-A--A-A-A--A",
    ],
  ],
  ["忆少年", 7, ["5 pxxz|ppxz|ppxz|ppxpz|zpppz|xzpppzz|xxxzppz|xpzxz|xxppz --A-AAA-A"]],
  ["长相思令", 7, ["6 xxp|zxp|xzxpxzp|xxxzp|xxp|zxp|xxppxzp|xpxzp AAAAAAAA"]],
  ["太清舞", 7, ["6 xpxzppz|zpxpz|xzzpp|xxppz|xpxzzpp|zxxxpxz|xzzpp|zxpxz AA-A-A-A"]],
  ["渔父乐", 6, ["6 zzppzzp|xpxzzpp|pzz|zpp|xxpxzxp AA-AA"]],
  ["重叠金", 6, ["6 xpxzppz|xpxzxpz|zzzpp|xpxzp|xppzz|xzppz|xzzpp|xpxzp AABBCCDD"]],
  [
    "庆宫春",
    6,
    [
      "6 pzxp|xpxz|zpzzxx|xzxp|ppxz|zppzxx|zpxz|xxzppzx|ppxz|xzxp|xxpx|xpxzpp|zzpp|zxpx|xxxx|xpxz|xxxxxx|xpxz|zxzppzx|xpxz|xzxp|zxxx --A--A-A--A--A--A-A--A",
    ],
  ],
  ["桂殿秋", 6, ["6 pzz|zpp|xxxxzxp|xpxzxpz|xzppxzx -AA-A"]],
  ["醉公子", 6, ["5 zzpxz|xxpxz|xxzpx|xpxzp|zxpxz|xxxxx|xzzpp|xpxzp AABBCCDD"]],
  ["罗敷歌", 6, ["6 xpxzppz|xzpp|xzpp|xzppzzx|xpxzppz|xzpp|xzpp|xzxpxzp -AAA-AAA"]],
  ["度清霄", 6, ["6 zxzxzxx|xxxxxxx|xxxxxxp|xpxxpxx|xpxzxxx|pxxzpxx|xxxxpxp|xxzxxxx AAAAAAAA"]],
  [
    "夏初临",
    5,
    [
      "5 xzxx|xxxx|xpxxpx|xzpx|xxxzpp|zppzpp|zppxzpp|xppx|ppzx|xzxp|xpxz|xzpp|zpxz|xzxp|xpzz|xpxzxp|zzpp|zxpxzpx|zpp|xxxx|zzpp --A-AAA--A---A-AAA--A",
    ],
  ],
  ["四字令", 5, ["5 pxzx|pxzp|xxxzxp|xppzp|ppzp|ppzp|xpxzpp|xppxp AAAAAAAA"]],
  ["玉团儿", 5, ["5 xpzzppz|zxzpxzz|xzxp|ppxz|xxxz|xxzzpxz|zzzppzz|zzpp|xppz|xxxz AA--AAA--A"]],
  ["浣溪纱", 5, ["5 xzxpxzp|xpxzxpp|xxxzxxp|xzxxxzz|xpxzzxp|zpxzzpp AAA-AA"]],
  ["木兰花减字", 5, ["5 xpzz|xzpppzz|xzxx|xzppzxp|xpzz|xzxxpzz|zzpp|xxppzzp AABBCCDD"]],
  ["甘州子", 5, ["5 xpxzzpp|xzz|zpp|xpxzzpp|xzzpp|pzz|xzzpp A-AAA-A"]],
];
