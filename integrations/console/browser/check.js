// Opens the page in Chromium and does what an operator does: node check.js ADDRESS TOKEN FOLDER-OF-PICTURES
// Started by ConsoleBrowserTest. Prints a line for each thing that holds; ends with an error at the first that does not.
'use strict';
const assert = require('node:assert');
const path = require('node:path');
const {chromium} = require('playwright-core');

const [address, token, folder] = process.argv.slice(2);
const WAIT = 60000; // generous: a machine may be busy

function ok(what) {
  console.log('ok ' + what);
}

async function open(browser, width, height, colorScheme, at) {
  const context = await browser.newContext({viewport: {width, height}, colorScheme, reducedMotion: 'reduce'});
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT);
  const errors = [];
  page.on('pageerror', error => errors.push(error.message));
  page.on('console', message => { if (message.type() === 'error') errors.push(message.text()); });
  const foreign = [];
  page.on('request', request => { if (!request.url().startsWith(address)) foreign.push(request.url()); });
  await page.goto(at || address);
  await page.locator('.card').first().waitFor();
  return {page, context, errors, foreign};
}

const card = (page, name) => page.locator('.card', {has: page.getByRole('heading', {name, exact: true})});
const picture = (page, name, whole) => page.screenshot({path: path.join(folder, name + '.png'), fullPage: whole});

/** The colours of text and of what is behind it differ enough to be read (WCAG 2: 4.5). */
async function contrast(page, selector) {
  for (;;) {
    const ratio = await contrastNow(page, selector);
    if (ratio !== null) return ratio;
  }
}

/** Null if the page has just replaced the element: what is in no page has no style. */
async function contrastNow(page, selector) {
  return page.locator(selector).first().evaluate(element => {
    if (!element.isConnected) return null;
    const rgb = text => text.match(/[\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
      .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    let behind = element;
    while (behind && /^rgba\(.*, 0\)$|transparent/.test(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
    const a = light(rgb(getComputedStyle(element).color));
    const b = light(rgb(getComputedStyle(behind || document.body).backgroundColor));
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  });
}

async function press(page, button, reason, minutes) {
  await button.click();
  await page.locator('#ask-reason').fill(reason);
  if (minutes !== undefined) await page.locator('#ask-minutes').selectOption(minutes);
  await page.locator('#ask-yes').click();
  await page.locator('#ask').waitFor({state: 'hidden'});
}

async function main(browser) {
  const {page, context, errors, foreign} = await open(browser, 1280, 900, 'dark', address + '#token=' + token);
  assert.strictEqual(new URL(page.url()).hash, '', 'the token is taken out of the address');
  const payments = card(page, 'payments');
  const chain = await payments.locator('.chain li .kind').allTextContents();
  assert.deepStrictEqual(chain, ['meter', 'fallback', 'retry', 'breaker', 'timeout', 'bulkhead', 'faults']);
  ok('a pipeline is drawn in its order');

  await page.waitForFunction(() => [...document.querySelectorAll('[data-chart="calls"] path.line')]
    .some(line => (line.getAttribute('d').match(/L/g) || []).length > 3));
  ok('charts move');

  await card(page, 'shop').locator('td', {hasText: 'healthy'}).first().waitFor();
  ok('endpoints have their health');

  assert.strictEqual(await page.evaluate(() => window.hacked), undefined);
  await page.locator('h3', {hasText: '<img src=x onerror=hacked=1>'}).waitFor();
  assert.strictEqual(await page.locator('.card img').count(), 0);
  ok('a hostile name is text');

  await press(page, payments.getByRole('button', {name: /^Faults on/}), 'rehearsal of an outage', '10');
  await payments.locator('.chain li[data-kind="breaker"][data-trouble="3"]').waitFor();
  await page.locator('#events li', {hasText: 'closed → open'}).first().waitFor();
  ok('a breaker goes open live');
  assert.strictEqual(await page.locator('.card h3').first().textContent(), 'payments');
  assert.match(await payments.locator('.badge').textContent(), /refuses|suffers/);
  ok('what is in trouble comes first, and says so in a word');

  await press(page, page.getByRole('button', {name: 'Kill node-2'}), 'rehearsal');
  await card(page, 'shop').locator('tr', {hasText: 'node-2'}).locator('td', {hasText: 'ejected'}).waitFor();
  await press(page, page.getByRole('button', {name: 'Flood one client'}), 'rehearsal');
  await card(page, 'limits').locator('td', {hasText: 'greedy'}).waitFor();
  ok('an endpoint is ejected, and the hottest key is named');
  await page.waitForTimeout(6000); // for the charts of the pictures
  await picture(page, 'console-dark', false);

  await press(page, payments.getByRole('button', {name: /^Faults off/}), 'the rehearsal is over');
  await payments.locator('.chain li[data-kind="breaker"][data-trouble="0"]').waitFor();
  await press(page, payments.getByRole('button', {name: /^Force open/}), 'maintenance', '');
  await payments.locator('.chain li', {hasText: 'forced open'}).waitFor();
  await page.locator('#events li[data-level="ACTION"]', {hasText: 'maintenance'}).waitFor();
  await press(page, payments.getByRole('button', {name: /^Reset/}), 'done');
  await payments.locator('.chain li', {hasText: 'closed'}).waitFor();
  ok('buttons open and reset a breaker, and the events say why');

  await payments.getByRole('button', {name: /^Force open/}).click();
  await page.locator('#ask-yes').click();
  assert.match(await page.locator('#ask-error').textContent(), /Say why/);
  await page.keyboard.press('Escape');
  await page.locator('#ask').waitFor({state: 'hidden'});
  assert.strictEqual(await payments.locator('.chain li', {hasText: 'forced open'}).count(), 0);
  ok('without a reason nothing happens');

  for (const theme of ['light', 'dark']) {
    while (await page.evaluate(() => document.documentElement.dataset.theme) !== theme) await page.locator('#theme').click();
    for (const selector of ['.sum', '.age', '.chart .label', '.chain .detail', '.badge', '#events time', '.controls span', 'th']) {
      const ratio = await contrast(page, selector);
      assert.ok(ratio >= 4.5, theme + ' ' + selector + ' has a contrast of ' + ratio.toFixed(2));
    }
  }
  ok('both themes can be read');

  assert.deepStrictEqual(errors, []);
  assert.deepStrictEqual(foreign, []);
  ok('no error, and nothing from elsewhere');
  await context.close();
}

async function keyboard(browser) {
  const {page, context} = await open(browser, 1280, 900, 'light');
  assert.strictEqual(await page.evaluate(() => document.documentElement.dataset.theme), 'light');
  await page.keyboard.press('Tab');
  assert.strictEqual(await page.evaluate(() => document.activeElement.className), 'skip');
  await page.keyboard.press('Enter');
  const reached = new Set();
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab');
    const here = await page.evaluate(() => {
      const focused = document.activeElement;
      return {tag: focused.tagName, id: focused.id, text: focused.textContent.slice(0, 12),
        outline: getComputedStyle(focused).outlineStyle};
    });
    if (here.tag === 'BODY') break;
    assert.notStrictEqual(here.outline, 'none', 'the focus is seen on ' + here.tag + ' ' + here.text);
    reached.add(here.id || here.text);
  }
  assert.ok([...reached].some(name => name.startsWith('Force open')), 'buttons are reached');
  const unnamed = await page.evaluate(() => [...document.querySelectorAll('button, input, select, svg[role=img]')]
    .filter(it => !(it.textContent.trim() || it.getAttribute('aria-label') || (it.labels && it.labels.length))).length);
  assert.strictEqual(unnamed, 0);
  ok('it is used by keyboard, and everything has a name');
  await page.getByRole('button', {name: /^Force open/}).first().click();
  await page.locator('#ask-token').fill('wrong-wrong-wrong-wrong');
  await page.locator('#ask-yes').click();
  await page.locator('#ask-reason').fill('try');
  await page.locator('#ask-yes').click();
  await page.locator('#ask-error', {hasText: 'the token is wrong'}).waitFor();
  ok('a wrong token is said to be wrong');
  await page.locator('#ask-no').click();
  await page.waitForTimeout(4000);
  await page.evaluate(() => scrollTo(0, 0));
  await picture(page, 'console-light', false);
  await context.close();
}

async function phone(browser) {
  const {page, context} = await open(browser, 390, 844, 'light');
  await page.waitForTimeout(3000);
  const wide = await page.evaluate(() => [...document.querySelectorAll('body *')]
    .filter(it => it.getBoundingClientRect().right > innerWidth + 1 && !it.closest('.scroll, dialog')).map(it => it.tagName + '.' + it.className));
  assert.deepStrictEqual(wide, []);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  const small = await page.evaluate(() => [...document.querySelectorAll('button')].filter(it => it.offsetHeight > 0 && it.offsetHeight < 32).length);
  assert.strictEqual(small, 0);
  await picture(page, 'console-phone', false);
  ok('it fits a phone');
  await context.close();
}

(async () => {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync']
  });
  try {
    await main(browser);
    await keyboard(browser);
    await phone(browser);
  } finally {
    await browser.close();
  }
})().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
