// Where the modules of this layer are as files: what machine code is kept by (store/code-cache.ts). On its own, so that
// nothing which a page is built of names a folder.

/** The folder of every module that tells what a kernel means or what code becomes of it. */
export const emitterFolder = new URL("./", import.meta.url);
