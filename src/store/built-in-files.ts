// The models that ship with the program, by the names of their files; the first one greets. models/README.md says where
// each is from. Not here: where the files lie (built-in.ts; on a page, beside it).

export interface BuiltInFile {
  readonly name: string;
  /** In the folder `models`. */
  readonly file: string;
}

/** Trained by this repository (recipes/liang-shi); writes classical Chinese poems. */
const poetFile: BuiltInFile = { name: "liang-shi", file: "liang-shi.gguf" };

/** Of llama2.c; tells small English stories. */
export const storiesFile: BuiltInFile = { name: "stories260k", file: "stories260K.gguf" };

export const builtInFiles: readonly [BuiltInFile, ...BuiltInFile[]] = [poetFile, storiesFile];
