import { launch, open } from "./browser.mjs";
const [url, out, w, h, lang] = process.argv.slice(2);
const b = await launch();
const t0 = Date.now();
const { page, errors, strangers } = await open(b, url, { width: +w, height: +h, lang, touch: +w < 500 });
await page.waitForTimeout(1500);
console.log("ready", Date.now() - t0, errors, strangers);
await page.screenshot({ path: out });
await b.close();
