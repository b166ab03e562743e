// Starts the real server with a seeded season and a headless browser that may reach nothing else.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const target = process.env.CARGO_TARGET_DIR ?? "../../../target";
const binary = `${target}/debug/kompas-cloud`;
const seeder = `${target}/debug/examples/seed_field`;
const browserPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
export const missing = !browserPath ? "needs chromium (Debian package chromium)"
  : !existsSync(binary) || !existsSync(seeder) ? `needs ${binary} and ${seeder}: cargo build -p kompas-cloud-sync --bins --examples` : false;

export async function startServer({ driven = 1, seeded = true } = {}) {
  const data = mkdtempSync(join(tmpdir(), "kompas-web-"));
  const child = spawn(binary, ["serve", "--json", "--listen", "127.0.0.1:0", "--mqtt-listen", "127.0.0.1:0", "--data", data], { stdio: ["ignore", "pipe", "ignore"] });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const { map_url: url, broker_url: broker } = JSON.parse(line);
  const seed = async (share, number = 7) => {
    const seeding = spawn(seeder, [broker, String(number), String(share)], { stdio: "ignore" });
    const [code] = await once(seeding, "exit");
    if (code !== 0) throw new Error(`seeding ended with ${code}`);
  };
  if (seeded) await seed(driven);
  return { url, seed, stop: () => { child.kill("SIGKILL"); rmSync(data, { recursive: true, force: true }); } };
}

export const launch = () => chromium.launch({
  executablePath: browserPath,
  args: ["--no-sandbox", "--disable-gpu", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** A page that blocks every other host and remembers what went wrong. */
export async function open(browser, url, { width, height, lang, touch = false }) {
  const context = await browser.newContext({ viewport: { width, height }, deviceScaleFactor: touch ? 2 : 1, hasTouch: touch, isMobile: touch, locale: "nl-NL", timezoneId: "Europe/Amsterdam" });
  const page = await context.newPage();
  const [errors, strangers] = [[], []];
  await page.route("**/*", route => {
    if (route.request().url().startsWith(url) || /^(data|blob):/.test(route.request().url())) return route.continue();
    strangers.push(route.request().url());
    return route.abort();
  });
  page.on("pageerror", error => errors.push(String(error)));
  page.on("console", message => message.type() === "error" && errors.push(message.text()));
  await page.goto(lang ? `${url}?lang=${lang}` : url);
  await page.waitForFunction(() => window.kompasReady === true, null, { timeout: 60_000 });
  return { page, context, errors, strangers };
}

export const api = async (url, path) => (await fetch(url + path)).json();
