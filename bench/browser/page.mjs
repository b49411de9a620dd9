// The page of bench/browser.ts: opens either side with the model's file and asks it, as the bench says by `open` and `ask`.
// A side is { open(file, threads), ask({ text, tokens }) }; answers are { promptTokens, prefillMs, decodeTokens, decodeMs }.

/** Liang in a worker of its own. */
function liangSide() {
  // by this name the platform's body for browsers knows that its data comes as the first message
  const worker = new Worker(new URL("./liang.ts", import.meta.url), { type: "module", name: "liang bench" });
  const answer = () =>
    new Promise((resolve, reject) => {
      worker.addEventListener("message", ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data)), {
        once: true,
      });
      worker.addEventListener("error", ({ message }) => reject(new Error(message)), { once: true });
    });
  const say = (message) => {
    const said = answer();
    worker.postMessage(message, []);
    return said;
  };
  return { open: (file, threads) => say({ file, threads }), ask: say };
}

const makers = {
  liang: async () => liangSide(),
  wllama: async () => await import(/* @vite-ignore */ new URL("peer/side.mjs", document.baseURI).href),
};
const sides = {};

globalThis.open = async (name, threads) => {
  const model = await (await fetch("model.gguf")).blob();
  sides[name] = await makers[name]();
  return await sides[name].open(new File([model], "model.gguf"), threads);
};
globalThis.ask = (name, question) => sides[name].ask(question);
globalThis.ready = true;
