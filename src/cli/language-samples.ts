// One text in each of several languages, for what a tokenizer makes of them. The prose is ours; the classical Chinese is
// the beginning of 論語 in simplified characters and a poem by 王之涣.
export interface LanguageSample {
  readonly language: string;
  readonly text: string;
  /** Whether blanks part its words. */
  readonly hasWords: boolean;
}

export const languageSamples: readonly LanguageSample[] = [
  {
    language: "English",
    hasWords: true,
    text: "The baker opens at six, and by half past the first loaves are gone. Nobody in our street remembers a time when the little shop was closed on a Saturday. In 1998, after the flood, she sold bread from a rowing boat; her daughter still keeps the oars above the door.",
  },
  {
    language: "Chinese",
    hasWords: false,
    text: "面包店六点开门，不到半小时第一批面包就卖完了。我们这条街上没有人记得那家小店哪个星期六关过门。一九九八年发大水以后，她划着小船卖面包，女儿至今把那对船桨挂在门上。",
  },
  {
    language: "classical Chinese",
    hasWords: false,
    text: "学而时习之，不亦说乎？有朋自远方来，不亦乐乎？人不知而不愠，不亦君子乎？白日依山尽，黄河入海流。欲穷千里目，更上一层楼。",
  },
  {
    language: "Japanese",
    hasWords: false,
    text: "パン屋は六時に開き、半時間もすると最初のパンは売り切れてしまう。この通りの人は、あの小さな店が土曜日に閉まっていたことを誰も覚えていない。",
  },
  {
    language: "German",
    hasWords: true,
    text: "Der Bäcker öffnet um sechs, und um halb sieben sind die ersten Brote verkauft. Niemand in unserer Straße erinnert sich daran, dass der kleine Laden an einem Samstag geschlossen gewesen wäre.",
  },
  {
    language: "Russian",
    hasWords: true,
    text: "Пекарня открывается в шесть, и через полчаса первых буханок уже нет. Никто на нашей улице не помнит, чтобы маленькая лавка была закрыта в субботу.",
  },
  {
    language: "TypeScript",
    hasWords: true,
    text: "export function median(values: readonly number[]): number {\n  const sorted = [...values].sort((a, b) => a - b);\n  const middle = sorted.length >> 1;\n  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;\n}\n",
  },
];
