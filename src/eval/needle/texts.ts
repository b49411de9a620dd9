// What the needle-in-a-haystack test is made of in each language: sentences to hide something among (our own prose, over
// and over until the window is full), the sentence that is hidden, the question for it.

export interface NeedleTexts {
  readonly language: "en" | "zh";
  readonly haystack: string;
  /** Of a place and a number. */
  readonly needle: (place: string, secret: string) => string;
  readonly question: (place: string) => string;
  /** What a model without a chat template goes on from. */
  readonly answerStart: (place: string) => string;
  readonly places: readonly string[];
}

export const needleTexts: readonly NeedleTexts[] = [
  {
    language: "en",
    haystack: [
      "The road to the mill follows the river for two miles and then leaves it without a word.",
      "In spring the water stands in the meadows, and the herons come down from the wood to look for frogs.",
      "Nobody has ground corn here for sixty years, but the wheel still turns when the sluice is open.",
      "My grandfather kept bees behind the house and sold the honey to travellers who asked the way.",
      "He said that a good year can be heard before it is seen, and he may have been right.",
      "The bridge was built of oak, burned in the war, and was built again of stone by people who had enough of fires.",
      "On market days carts stood along the whole street, and the baker ran out of bread before ten.",
      "Rain is not disliked in this valley, since it gives everybody a reason to stay at the table a little longer.",
      "The school has one room, one stove and a map on which our village is only a dot that somebody drew with a pencil.",
      "In the evening the swallows fly low over the pond, and then it will be wet tomorrow.",
      "There is a bench under the lime tree where the old men sit and talk about the weather of other years.",
      "When the first snow falls, the hills seem to come nearer, and sounds travel further than they do in summer.",
    ].join(" "),
    needle: (place, secret) => `The secret number of ${place} is ${secret}.`,
    question: (place) => `What is the secret number of ${place}? Answer with the number alone.`,
    answerStart: (place) => `The secret number of ${place} is`,
    places: ["Lisbon", "Kyoto", "Quito", "Oslo", "Nairobi", "Hobart", "Riga", "Lima"],
  },
  {
    language: "zh",
    haystack: [
      "去磨坊的路沿着河走两里地，然后悄悄离开了河岸。",
      "春天的时候草地里积着水，白鹭从林子里飞下来找青蛙。",
      "这里已经六十年没有人磨面了，可是闸门一开，水车还是会转。",
      "爷爷在屋后养蜂，把蜂蜜卖给来问路的人。",
      "他说好年成先听得见，后看得见，也许他说得对。",
      "那座桥原来是木头的，打仗时烧了，后来的人怕了火，就用石头重修。",
      "赶集的日子，整条街都停满了车，面包不到十点就卖光了。",
      "山谷里的人不讨厌下雨，因为下雨就可以在桌边多坐一会儿。",
      "学校只有一间屋子，一个炉子，还有一张地图，我们村在上面只是铅笔点的一个点。",
      "傍晚燕子贴着池塘低飞，那么明天就要下雨了。",
      "椴树下面有一条长凳，老人们坐在那里谈论往年的天气。",
      "下第一场雪的时候，山好像走近了，声音也比夏天传得远。",
    ].join(""),
    needle: (place, secret) => `${place}的密码是${secret}。`,
    question: (place) => `${place}的密码是多少？只回答数字。`,
    answerStart: (place) => `${place}的密码是`,
    places: ["里斯本", "京都", "基多", "奥斯陆", "内罗毕", "霍巴特", "里加", "利马"],
  },
];

/** Sentences of a text, each with what ends it. */
export const sentencesOf = (text: string): string[] =>
  (text.match(/[^.!?。！？\n]*[.!?。！？\n]+["”’」』)]*\s*|[^.!?。！？\n]+$/gu) ?? []).filter(
    (sentence) => sentence.trim() !== "",
  );
