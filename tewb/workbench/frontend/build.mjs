// Writes the page that Python sends: ../page/bundle.js (everything) and ../page/loader.js (what each widget carries).
import { build, transform } from "esbuild";
import { readFile, writeFile, mkdir } from "node:fs/promises";

const common = { bundle: true, format: "esm", target: "es2022", minify: true, legalComments: "none", charset: "utf8" };

/** Style sheets are texts of the bundle, without white space and comments. */
const styles = {
  name: "styles",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true, target: "es2022" });
      return { contents: code, loader: "text" };
    }),
};

await mkdir("../page", { recursive: true });
await build({
  ...common,
  entryPoints: ["src/main.tsx"],
  outfile: "../page/bundle.js",
  jsx: "automatic",
  jsxImportSource: "preact",
  plugins: [styles],
});
await build({ ...common, entryPoints: ["src/loader.ts"], outfile: "../page/loader.js" });
const size = (await readFile("../page/bundle.js")).length;
console.log(`bundle.js ${(size / 1000).toFixed(0)} KB`);
await writeFile("../page/README", "Built by `npm run build` in ../frontend from the sources there; do not edit.\n");
