// Opens a page in several forms and takes pictures: node look.js ADDRESS DIRECTORY [EVAL-BEFORE]
const {chromium} = require('playwright-core');
(async () => {
  const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']});
  const [address, dir] = process.argv.slice(2);
  for (const [name, width, height, colorScheme] of [['light', 1280, 900, 'light'], ['dark', 1280, 900, 'dark'], ['phone', 390, 844, 'light']]) {
    const page = await browser.newPage({viewport: {width, height}, colorScheme});
    page.on('console', m => console.log(m.text())); page.on('pageerror', e => console.log('ERR', e.message));
    await page.goto(address); await page.waitForTimeout(+(process.argv[4] || 12000));
    await page.screenshot({path: `${dir}/${name}.png`, fullPage: name === 'phone'});
    await page.close();
  }
  await browser.close();
})();
