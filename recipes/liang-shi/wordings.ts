// How people ask for poems, and how the model answers what is no poem. The last two wordings of every list are held out:
// no model learns from them. {form} {title} {words} {line} {initials} are filled in.

export const wordings = {
  form: [
    "想看你写{form}。",
    "来{form}一首，写什么都行。",
    "麻烦写首{form}",
    "{form}一首，谢谢。",
    "今天写{form}吧，内容由你。",
    "写一首{form}。",
    "来一首{form}",
    "请作一首{form}。",
    "给我写首{form}吧",
    "我想读一首{form}。",
    "作{form}一首。",
    "能写一首{form}吗？",
    "帮我写一首{form}",
    "随便写一首{form}。",
    "请赋一首{form}，题目不限。",
  ],
  title: [
    "题《{title}》，{form}一首。",
    "请写{form}，题目叫{title}。",
    "《{title}》这个题目，能写成{form}吗？",
    "我想要一首{form}，题为《{title}》。",
    "写一首{form}，题目是《{title}》。",
    "以《{title}》为题，写一首{form}。",
    "请作{form}一首，题为“{title}”。",
    "题目：{title}。体裁：{form}。",
    "帮我写一首叫《{title}》的{form}",
    "《{title}》，{form}。",
    "用“{title}”作题目写首{form}吧",
    "请以{title}为题赋{form}一首。",
    "写{form}，诗题《{title}》",
  ],
  words: [
    "想起{words}，为我写一首{form}。",
    "请写一首{form}，里面要提到{words}。",
    "来首{form}，写到{words}就好",
    "有{words}的{form}，来一首。",
    "能不能用{form}写{words}？",
    "{words}，写成一首{form}。",
    "今天看到{words}，帮我作{form}一首。",
    "写{form}，说说{words}。",
    "写一首{form}，要有{words}。",
    "以{words}为主题写一首{form}。",
    "请用“{words}”的意境作一首{form}。",
    "写首关于{words}的{form}",
    "主题是{words}，体裁{form}。",
    "给我一首写{words}的{form}吧",
    "咏{words}，{form}一首。",
    "我喜欢{words}，请写一首{form}。",
    "请写{form}，内容与{words}有关。",
  ],
  firstLine: [
    "请写一首以“{line}”开篇的{form}。",
    "{line}——以此为首句，作{form}。",
    "开头一句是“{line}”，写首{form}。",
    "来首{form}，开头要用“{line}”。",
    "首句{line}，{form}。",
    "以“{line}”为第一句，写一首{form}。",
    "首句是“{line}”，续成一首{form}。",
    "用“{line}”开头，作一首{form}。",
    "{form}，第一句：{line}",
    "请接着“{line}”写完这首{form}。",
    "我起个头：{line}。请写成{form}。",
    "第一句用“{line}”，来首{form}吧",
    "请以“{line}”起句，作{form}一首。",
  ],
  initials: [
    "藏头诗一首，{form}，句首是“{initials}”。",
    "请用{initials}四个字开头写{form}。",
    "{form}藏头：{initials}",
    "写一首藏头诗，{form}，藏“{initials}”。",
    "用“{initials}”写一首藏头{form}。",
    "每句开头依次是{initials}，写一首{form}。",
    "请作藏头诗：{initials}，体裁{form}。",
    "藏头“{initials}”，{form}一首",
    "以“{initials}”四字藏头，写首{form}。",
    "把“{initials}”藏在句首，作一首{form}。",
  ],
  nextLine: [
    "“{line}”，请对下一句。",
    "接下一句：{line}",
    "{line}，下一句呢？",
    "我说上句：{line}。你说下句。",
    "请续一句：{line}",
    "上句是“{line}”，下句写什么好？",
    "{line}——请接。",
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type Wording = keyof typeof wordings;

/** Small talk: what is said, and short answers. */
export const talk: readonly (readonly [said: readonly string[], answers: readonly string[]])[] = [
  [
    ["你好", "您好！", "嗨", "在吗", "早上好", "晚上好。", "hello", "你好呀"],
    ["你好，我是量诗。想读一首什么诗？", "你好！告诉我体裁和题目，我来写诗。", "在的。要一首绝句，还是填一首词？"],
  ],
  [
    ["你是谁？", "你叫什么名字", "介绍一下自己", "你是什么模型？", "你是人吗？"],
    ["我叫量诗，是一个只学过古诗词的小模型。", "我是量诗，一个会写绝句、律诗和词的小模型，不是人。"],
  ],
  [
    ["你会什么？", "你能做什么", "怎么用你", "可以写哪些诗？", "你会写什么体裁？"],
    [
      "我会写五绝、七绝、五律、七律，也会填词，能用你给的题目、首句或藏头。",
      "给我体裁和题目就行，比如：写一首五绝，题目是《春雨》。",
    ],
  ],
  [
    ["谢谢", "谢谢你！", "多谢", "写得真好", "不错", "好诗！", "我很喜欢"],
    ["不客气。还要再写一首吗？", "过奖了，愿再献一首。"],
  ],
  [
    ["再见", "拜拜", "晚安", "我走了", "下次再聊"],
    ["再见，愿你有诗为伴。", "后会有期。"],
  ],
  [
    ["写得不好", "这首不行", "不押韵", "看不懂", "重写"],
    ["抱歉，我再试一次，请再告诉我体裁和题目。", "见笑了。请把题目再说一遍，我重写一首。"],
  ],
];

/** What it cannot do: questions, and modest answers. */
export const beyond: readonly string[] = [
  "今天天气怎么样？",
  "帮我写一段代码",
  "一加一等于几？",
  "中国的首都是哪里？",
  "请翻译成英文：我爱你",
  "给我讲个笑话",
  "推荐一部电影",
  "怎么做红烧肉？",
  "现在几点了？",
  "帮我写一封邮件",
  "解释一下量子力学",
  "股票会涨吗？",
  "我头疼该吃什么药？",
  "写一篇关于环保的作文",
  "李白是哪年生的？",
  "这句诗是谁写的？",
  "帮我订一张机票",
  "写一首现代诗",
  "写一首英文诗",
  "谁是美国总统？",
  "计算三角形的面积",
  "什么是人工智能？",
  "帮我总结这篇文章",
  "你觉得我该换工作吗？",
  "what is the capital of France?",
  "write a python function",
  "唱首歌给我听",
  "画一张图",
  "怎样学好数学？",
  "附近有什么好吃的？",
  "世界上最高的山是哪座？",
  "帮我想个公司名字",
];
export const refusalsOfBeyond: readonly string[] = [
  "这个我不会，我只会写诗填词。",
  "抱歉，我只学过古诗词，答不了这个。",
  "这超出我的本事了。要不要我写一首诗？",
  "我是写诗的小模型，别的事做不好。",
  "惭愧，除了诗词我什么也不懂。",
];

/** Words of poems that people ask for; a poem that has one may be asked for by it. */
export const themes: readonly string[] =
  "春风 春雨 春山 春水 春日 春夜 秋风 秋雨 秋月 秋水 秋山 秋夜 夏日 冬夜 明月 白云 青山 流水 江南 江水 长江 黄河 西湖 洞庭 夕阳 斜阳 落日 朝霞 烟雨 风雪 白雪 梅花 桃花 杏花 荷花 菊花 海棠 杨柳 垂杨 芳草 落花 落叶 松风 竹林 修竹 梧桐 芭蕉 燕子 黄莺 杜鹃 鸿雁 白鹭 沙鸥 归雁 蝉声 扁舟 渔父 钓船 故人 故乡 故园 离别 相思 客舍 驿路 边塞 将军 战马 胡笳 长城 玉门 古寺 山寺 钟声 高僧 道人 神仙 美酒 饮酒 琴声 笛声 灯火 寒食 清明 重阳 中秋 元宵 除夕 登高 高楼 小楼 栏干 庭院 田家 耕桑 白发 少年 天涯 万里 梦魂 思归 送别 怀古 金陵 长安 洛阳 扬州".split(
    " ",
  );
