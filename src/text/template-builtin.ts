// Chat templates of our own, for models whose files bring none, and how one is chosen: by the turn markers that the
// vocabulary has as tokens of their own. They are trusted, so they render without a worker. None writes BOS first
// unless its turns do: the encoder adds it. Not here: rendering (template.ts).

/** What a model with an encoder reads: a translator knows no conversation. */
const LAST_USER_TEXT = `{%- set last = namespace(text=none) -%}
{%- for message in messages -%}
  {%- if message.role == 'user' -%}{%- set last.text = message.content -%}{%- endif -%}
{%- endfor -%}
{%- if last.text is none -%}{{- raise_exception('There is no message of a user to read.') -}}{%- endif -%}
{{- last.text -}}`;

interface BuiltIn {
  readonly name: string;
  /** Chosen when all of these are tokens; undefined: by name only. */
  readonly markers?: readonly string[];
  readonly source: string;
}

/** A system message joins the first user message, as where a format has no system turn. */
const SYSTEM_INTO_USER = `{%- set held = namespace(system='') -%}
{%- macro joined(content) -%}
  {{- held.system + content | trim -}}
  {%- set held.system = '' -%}
{%- endmacro -%}`;

const UNKNOWN_ROLE = `{{- raise_exception('The template has no turn for messages of role ' + message.role + '.') -}}`;

/** Turns of one shape whatever the role: `before` and `after` are Jinja expressions. */
const turns = (before: string, after: string, content = "message.content", opening = before): string =>
  `{%- for message in messages -%}
  {{- ${before} + ${content} + ${after} -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
  {%- set message = {'role': 'assistant'} -%}
  {{- ${opening} -}}
{%- endif -%}`;

const GEMMA = `${SYSTEM_INTO_USER}
{%- for message in messages -%}
  {%- if message.role == 'system' -%}
    {%- set held.system = held.system + message.content | trim + '\\n\\n' -%}
  {%- elif message.role == 'user' -%}
    {{- '<start_of_turn>user\\n' + joined(message.content) + '<end_of_turn>\\n' -}}
  {%- elif message.role == 'assistant' -%}
    {{- '<start_of_turn>model\\n' + message.content | trim + '<end_of_turn>\\n' -}}
  {%- else -%}
    ${UNKNOWN_ROLE}
  {%- endif -%}
{%- endfor -%}
{%- if held.system -%}{{- '<start_of_turn>user\\n' + joined('') + '<end_of_turn>\\n' -}}{%- endif -%}
{%- if add_generation_prompt -%}{{- '<start_of_turn>model\\n' -}}{%- endif -%}`;

const MISTRAL = `${SYSTEM_INTO_USER}
{%- for message in messages -%}
  {%- if message.role == 'system' -%}
    {%- set held.system = held.system + message.content | trim + '\\n\\n' -%}
  {%- elif message.role == 'user' -%}
    {{- '[INST] ' + joined(message.content) + '[/INST]' -}}
  {%- elif message.role == 'assistant' -%}
    {{- ' ' + message.content | trim + eos_token -}}
  {%- else -%}
    ${UNKNOWN_ROLE}
  {%- endif -%}
{%- endfor -%}
{%- if held.system -%}{{- '[INST] ' + joined('') + '[/INST]' -}}{%- endif -%}`;

const LLAMA_2 = `{%- set held = namespace(system='') -%}
{%- macro joined(content) -%}
  {{- ('<<SYS>>\\n' + held.system + '\\n<</SYS>>\\n\\n' if held.system else '') + content | trim -}}
  {%- set held.system = '' -%}
{%- endmacro -%}
{%- for message in messages -%}
  {%- if message.role == 'system' -%}
    {%- set held.system = (held.system + '\\n\\n' if held.system else '') + message.content | trim -%}
  {%- elif message.role == 'user' -%}
    {{- bos_token + '[INST] ' + joined(message.content) + ' [/INST]' -}}
  {%- elif message.role == 'assistant' -%}
    {{- ' ' + message.content | trim + ' ' + eos_token -}}
  {%- else -%}
    ${UNKNOWN_ROLE}
  {%- endif -%}
{%- endfor -%}
{%- if held.system -%}{{- bos_token + '[INST] ' + joined('') + ' [/INST]' -}}{%- endif -%}`;

const DEEPSEEK = `{%- for message in messages -%}
  {%- if message.role == 'system' -%}
    {{- message.content -}}
  {%- elif message.role == 'user' -%}
    {{- '<｜User｜>' + message.content -}}
  {%- elif message.role == 'assistant' -%}
    {{- '<｜Assistant｜>' + message.content + eos_token -}}
  {%- else -%}
    ${UNKNOWN_ROLE}
  {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<｜Assistant｜>' -}}{%- endif -%}`;

/** A model that was not made for chat continues the text: a reply follows what it answers, other turns begin a line. */
const PLAIN_TEXT = `{%- for message in messages -%}
  {{- '' if loop.first or message.role == 'assistant' else '\\n' -}}
  {{- message.content -}}
{%- endfor -%}`;

/** In the order they are tried. */
const BUILT_INS: readonly BuiltIn[] = [
  { name: "deepseek", markers: ["<｜User｜>", "<｜Assistant｜>"], source: DEEPSEEK },
  {
    name: "chatml",
    markers: ["<|im_start|>", "<|im_end|>"],
    source: turns(`'<|im_start|>' + message.role + '\\n'`, `'<|im_end|>\\n'`),
  },
  {
    name: "llama3",
    markers: ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
    source: turns(
      `'<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n'`,
      `'<|eot_id|>'`,
      "message.content | trim",
    ),
  },
  { name: "gemma", markers: ["<start_of_turn>", "<end_of_turn>"], source: GEMMA },
  {
    name: "phi3",
    markers: ["<|user|>", "<|assistant|>", "<|end|>"],
    source: turns(`'<|' + message.role + '|>\\n'`, `'<|end|>\\n'`),
  },
  {
    name: "zephyr",
    markers: ["<|user|>", "<|assistant|>"],
    source: turns(`'<|' + message.role + '|>\\n'`, `eos_token + '\\n'`),
  },
  { name: "mistral", markers: ["[INST]", "[/INST]"], source: MISTRAL },
  { name: "llama2", source: LLAMA_2 },
  { name: "none", source: PLAIN_TEXT },
  { name: "source", source: LAST_USER_TEXT },
];

const vetted = new Set(BUILT_INS.map(({ source }) => source));

/** Whether these exact words are ours, so that they may render on the calling thread. */
export const isVetted = (source: string): boolean => vetted.has(source);

export const builtInNames: readonly string[] = BUILT_INS.map(({ name }) => name);

export const builtInSource = (name: string): string | undefined => BUILT_INS.find((row) => row.name === name)?.source;

/** The name of the template for a vocabulary whose own tokens `has` knows; "none" when no row's markers are there. */
export function chooseBuiltIn(has: (token: string) => boolean): string {
  return BUILT_INS.find(({ markers }) => markers?.every(has))?.name ?? "none";
}
