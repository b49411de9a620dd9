// Builds the page (src/web) into dist/web, or serves it with reload: `build-web.ts --dev [--server http://127.0.0.1:PORT]`
// hands /api to a running `liang serve`. Not here: serving what was built (src/server).
import { resolve } from "node:path";
import react from "@vitejs/plugin-react";
import { build, createServer, type InlineConfig, type Plugin } from "vite";

const root = resolve(import.meta.dirname, "../src/web");
const flagValue = (name: string): string | undefined => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};

/** KaTeX lists every font three times for old browsers; all that run this page read woff2. */
const onlyWoff2: Plugin = {
  name: "only-woff2",
  enforce: "pre",
  transform(code, id) {
    if (!id.includes("katex") || !id.includes(".css")) return undefined;
    return { code: code.replaceAll(/,\s*url\([^)]*\.(?:woff|ttf)\)\s*format\([^)]*\)/g, ""), map: null };
  },
};

export const webConfig: InlineConfig = {
  root,
  configFile: false,
  base: "./",
  plugins: [onlyWoff2, react()],
  build: {
    outDir: flagValue("--out") ?? resolve(root, "../../dist/web"),
    emptyOutDir: true,
    target: "es2023",
    cssTarget: ["chrome123", "safari17.5", "firefox128"], // the first with light-dark(): colours stay as they are written
    assetsInlineLimit: 0, // data: addresses would need a wider Content-Security-Policy than 'self'
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    host: "127.0.0.1",
    proxy: { "/api": { target: flagValue("--server") ?? "http://127.0.0.1:8080", changeOrigin: true } },
  },
};

if (process.argv.includes("--dev")) {
  const server = await createServer(webConfig);
  await server.listen();
  server.printUrls();
} else {
  await build(webConfig);
}
