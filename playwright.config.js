// @ts-check
// The page's tests, in a real browser. `cargo xtask test --only page` builds the page and runs
// them; RAFTARIUM_URL=http://127.0.0.1:8080/ tests a page that is served already.
import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

const given = process.env.RAFTARIUM_URL;
const port = 4173;
const browser =
  process.env.CHROMIUM ||
  ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
    .map((name) => `/usr/bin/${name}`)
    .find(existsSync);

/** Where the page is served under a sub-path; empty when only one address was given. */
export const subPathUrl = given ? '' : `http://127.0.0.1:${port + 1}/some/where/`;

/** @param {number} at @param {string} base */
const serve = (at, base) => ({
  command: `cargo xtask serve --no-build --addr 127.0.0.1:${at} --base ${base}`,
  url: `http://127.0.0.1:${at}${base}`,
  timeout: 300_000,
});

export default defineConfig({
  testDir: 'page-tests',
  testMatch: '**/*.spec.js',
  outputDir: 'test-results',
  workers: 2,
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  // A busy machine is slow; that is no failure.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: [['list']],
  use: {
    baseURL: given || `http://127.0.0.1:${port}/`,
    viewport: { width: 1440, height: 900 },
    deviceScaleFactor: 1,
    timezoneId: 'UTC',
    locale: 'en-GB',
    colorScheme: 'light',
    // A trace costs every test a quarter of its time; `TRACE=1` keeps those of tests that fail.
    trace: process.env.TRACE ? 'retain-on-failure' : 'off',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: browser,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--font-render-hinting=none',
        '--force-color-profile=srgb',
      ],
    },
  },
  ...(given ? {} : { webServer: [serve(port, '/'), serve(port + 1, '/some/where/')] }),
});
