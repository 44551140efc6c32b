'use strict';
// The page of the console. Texts go in as text, never as markup: a name may be anything.
const POINTS = 120; // of a chart, one a second
const MAX_EVENTS = 200;
const NS = 'http://www.w3.org/2000/svg';
const SHAPES = ['M6 0a6 6 0 1 0 .01 0z', 'M6 0l6 6-6 6-6-6z', 'M6 0l6 12H0z', 'M0 0h12v12H0z']; // disc, diamond, triangle, square
const WORDS = ['fine', 'notice', 'suffers', 'refuses'];
const byId = id => document.getElementById(id);
const cards = new Map(); // id -> {root, history, ...}
let token = '';
let snapshot = null;
let lastEvent = 0;
let receivedAt = 0;
let paused = false;
let sampledAt = 0;
let stopStream = () => {};

// ---- small helpers

function el(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key === 'onclick') element.addEventListener('click', value);
    else element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

function svg(name, attributes) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function shape(trouble) {
  const icon = svg('svg', {viewBox: '0 0 12 12', class: 'shape t' + trouble, 'aria-hidden': 'true'});
  icon.append(svg('path', {d: SHAPES[trouble]}));
  return icon;
}

function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

function number(value) {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1e6) return (value / 1e6).toFixed(1) + ' M';
  if (size >= 1e4) return (value / 1e3).toFixed(1) + ' k';
  return size >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(size >= 10 ? 1 : 2);
}

function nanos(value) {
  if (!Number.isFinite(value)) return '–';
  if (value < 1e3) return Math.round(value) + ' ns';
  if (value < 1e6) return (value / 1e3).toPrecision(3) + ' µs';
  if (value < 1e9) return (value / 1e6).toPrecision(3) + ' ms';
  return age(value / 1e9);
}

function age(seconds) {
  if (seconds < 60) return (seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)) + ' s';
  if (seconds < 3600) return Math.floor(seconds / 60) + ' min ' + Math.round(seconds % 60) + ' s';
  if (seconds < 86400) return Math.floor(seconds / 3600) + ' h ' + Math.floor(seconds % 3600 / 60) + ' min';
  return Math.floor(seconds / 86400) + ' d ' + Math.floor(seconds % 86400 / 3600) + ' h';
}

function percent(share) {
  return Number.isFinite(share) ? (share * 100).toFixed(share < 0.1 && share > 0 ? 1 : 0) + ' %' : '–';
}

const clock = new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit', second: '2-digit'});

// ---- what figures say

/** Sums some counters of a layer; NaN if it has none of them. */
function sum(layer, ...names) {
  let total = NaN;
  for (const name of names) {
    const value = layer.figures[name];
    if (typeof value === 'number') total = (Number.isNaN(total) ? 0 : total) + value;
  }
  return total;
}

/** Counters of calls, failures and refusals of a layer: {all, failed, refused}, or null. */
function counters(layer) {
  const c = (...names) => sum(layer, ...names);
  const or0 = value => Number.isNaN(value) ? 0 : value;
  let all;
  switch (layer.kind) {
    case 'meter':
      all = c('meter.calls.success', 'meter.calls.failure', 'meter.calls.throttled', 'meter.calls.not.sent',
        'meter.calls.refused', 'meter.calls.ignored');
      return Number.isNaN(all) ? null : {all, failed: or0(c('meter.calls.failure', 'meter.calls.throttled',
        'meter.calls.not.sent')), refused: or0(c('meter.calls.refused'))};
    case 'breaker':
      all = c('breaker.calls.succeeded', 'breaker.calls.failed', 'breaker.calls.refused', 'breaker.calls.ignored');
      return Number.isNaN(all) ? null : {all, failed: or0(c('breaker.calls.failed')),
        refused: or0(c('breaker.calls.refused'))};
    case 'limiter':
      all = c('limiter.calls.admitted', 'limiter.calls.refused');
      return Number.isNaN(all) ? null : {all, failed: 0, refused: or0(c('limiter.calls.refused'))};
    case 'cache':
      all = c('cache.hits', 'cache.hits.absent', 'cache.hits.failed', 'cache.misses');
      return Number.isNaN(all) ? null : {all, failed: or0(c('cache.load.failures')), refused: 0};
    default:
      return null;
  }
}

/** The layer that tells the traffic of a card: a meter if there is one, else the outermost one that counts. */
function trafficLayer(card) {
  return card.layers.find(layer => layer.kind === 'meter' && counters(layer))
    || card.layers.find(layer => counters(layer)) || null;
}

/** All counters that are drawn as rates, by name of the series. */
function totals(card) {
  const result = {};
  const layer = trafficLayer(card);
  if (layer) {
    Object.assign(result, counters(layer));
  } else {
    const picks = card.endpoints.map(endpoint => endpoint.figures['endpoint.picks']).filter(Number.isFinite);
    if (picks.length) result.all = picks.reduce((a, b) => a + b, 0);
  }
  let again = NaN;
  for (const each of card.layers) {
    const more = sum(each, 'retry.repeated', 'hedge.fired');
    if (!Number.isNaN(more)) again = (Number.isNaN(again) ? 0 : again) + more;
    if (each.kind === 'cache') {
      const hits = sum(each, 'cache.hits', 'cache.hits.absent', 'cache.hits.failed');
      if (!Number.isNaN(hits)) {
        result.hits = (result.hits || 0) + hits;
        result.reads = (result.reads || 0) + hits + (each.figures['cache.misses'] || 0);
      }
    }
  }
  if (!Number.isNaN(again)) result.again = again;
  card.endpoints.forEach(endpoint => {
    const picks = endpoint.figures['endpoint.picks'];
    if (Number.isFinite(picks)) result['pick ' + endpoint.name] = picks;
  });
  card.layers.filter(layer => layer.kind !== 'meter').forEach(layer => {
    const counted = counters(layer);
    if (counted) result['layer ' + layer.kind + ' ' + layer.name] = counted.all;
  });
  return result;
}

/** Figures that are drawn as they are. */
function levels(card) {
  const result = {};
  for (const layer of card.layers) {
    const p99 = layer.figures['meter.duration.p99.nanos'];
    if (layer.kind === 'meter' && typeof p99 === 'number' && result.p99 === undefined) {
      result.p99 = p99;
      result.p50 = layer.figures['meter.duration.p50.nanos'];
    }
    const limit = layer.figures['bulkhead.limit'];
    if (limit > 0) result.used = Math.max(result.used || 0, layer.figures['bulkhead.in.flight'] / limit);
  }
  if (result.p99 === undefined) {
    const known = card.endpoints.map(endpoint => endpoint.figures['endpoint.latency.nanos']).filter(Number.isFinite);
    if (known.length) result.endpoint = Math.max(...known);
  }
  return result;
}

/** A count with its word; nothing where there was none. */
function some(value, word) {
  return value > 0 ? number(value) + ' ' + word : '';
}

function detail(layer) {
  const f = layer.figures;
  switch (layer.kind) {
    case 'breaker':
      return [layer.state ? layer.state.toLowerCase().replace('_', ' ') : null,
        layer.trouble && Number.isFinite(f['breaker.time.in.state.nanos']) ? nanos(f['breaker.time.in.state.nanos']) : null,
        f['breaker.failure.rate'] > 0 ? percent(f['breaker.failure.rate']) + ' failed' : null]
        .filter(Boolean).join(' · ');
    case 'bulkhead':
      return Number.isFinite(f['bulkhead.limit']) ? number(f['bulkhead.in.flight']) + ' of ' + number(f['bulkhead.limit'])
        + (f['bulkhead.waiting'] > 0 ? ', ' + number(f['bulkhead.waiting']) + ' wait' : '') : '';
    case 'limiter':
      return Number.isFinite(f['limiter.keys']) ? number(f['limiter.keys']) + ' keys'
        : Number.isFinite(f['limiter.permits.available']) ? number(f['limiter.permits.available']) + ' permits' : '';
    case 'retry': return some(f['retry.repeated'], 'repeats');
    case 'budget': return Number.isFinite(f['budget.credit']) ? number(f['budget.credit']) + ' credit' : '';
    case 'hedge': return some(f['hedge.fired'], 'fired') + (f['hedge.won'] > 0 ? ', ' + number(f['hedge.won']) + ' won' : '');
    case 'timeout': return some(f['timeout.timed.out'], 'timed out');
    case 'fallback': return some(f['fallback.degraded'], 'substitutes');
    case 'faults': return f['faults.on'] > 0 ? 'ON' : 'off';
    case 'cache': return Number.isFinite(f['cache.size']) ? number(f['cache.size']) + ' entries' : '';
    case 'balancer':
      return Number.isFinite(f['balancer.endpoints']) ? number(f['balancer.candidates']) + ' of ' + number(f['balancer.endpoints']) + ' usable' : '';
    case 'keyed': return Number.isFinite(f['keyed.size']) ? number(f['keyed.size']) + ' keys' : '';
    case 'shedder': return some(f['shedder.refused'], 'shed');
    case 'writebehind': return some(f['writebehind.pending'], 'pending');
    case 'work': return some(f['work.waiting'], 'wait');
    case 'meter': return some(f['meter.in.flight'], 'in flight');
    default: return '';
  }
}

const CHARTS = [
  {id: 'calls', label: 'Calls', series: ['all'], show: v => number(v.all), unit: '/s'},
  {id: 'errors', label: 'Errors', series: ['errors', 'refused'], bad: true, show: v => number(v.errors || 0), unit: '/s',
    title: v => 'failed ' + number(v.failed || 0) + ' /s, refused ' + number(v.refused || 0) + ' /s (dashed)'},
  {id: 'latency', label: 'p99, p50', series: ['p99', 'p50'], show: v => nanos(v.p99), unit: ''},
  {id: 'endpoint', label: 'Slowest', series: ['endpoint'], show: v => nanos(v.endpoint), unit: ''},
  {id: 'used', label: 'In use', series: ['used'], max: 1, show: v => percent(v.used), unit: ''},
  {id: 'hit', label: 'Cache hits', series: ['hit'], max: 1, show: v => percent(v.hit), unit: ''},
  {id: 'again', label: 'Repeats', series: ['again'], show: v => number(v.again), unit: '/s'}
];

/** Adds one point to the history of a card. */
function sample(state, card, seconds) {
  const now = totals(card);
  const rates = levels(card);
  for (const [name, value] of Object.entries(now)) {
    const before = state.before && state.before[name];
    // A counter that has fallen belongs to something that was made anew.
    if (Number.isFinite(before) && seconds > 0) rates[name] = value >= before ? (value - before) / seconds : 0;
  }
  if (rates.failed !== undefined) rates.errors = rates.failed + rates.refused;
  if (rates.reads !== undefined) {
    rates.hit = rates.reads > 0 ? rates.hits / rates.reads : NaN;
  }
  state.has = new Set([...(state.has || []), ...Object.keys(rates), ...Object.keys(now)]);
  if (now.reads !== undefined) state.has.add('hit');
  state.before = now;
  state.rates = rates;
  state.history.push(rates);
  if (state.history.length > POINTS) state.history.shift();
}

// ---- drawing

function draw(chart, history, rates) {
  const spec = chart.spec;
  text(chart.now, spec.show(rates));
  if (spec.title) chart.root.title = spec.title(rates);
  let top = spec.max || 0;
  for (const point of history) for (const name of spec.series) if (point[name] > top) top = point[name];
  if (!spec.max) top = top > 0 ? top * 1.1 : 1;
  spec.series.forEach((name, index) => {
    let line = '';
    let from = null;
    let last = 0;
    history.forEach((point, i) => {
      const value = point[name];
      if (!Number.isFinite(value)) return;
      const x = (POINTS - history.length + i) * 200 / (POINTS - 1);
      const y = 38 - Math.min(1, value / top) * 36;
      line += (line ? 'L' : 'M') + x.toFixed(1) + ' ' + y.toFixed(1);
      if (from === null) from = x;
      last = x;
    });
    chart.lines[index].setAttribute('d', line);
    if (index === 0) chart.area.setAttribute('d', line ? line + 'L' + last.toFixed(1) + ' 38L' + from.toFixed(1) + ' 38Z' : '');
  });
  chart.picture.setAttribute('aria-label', spec.label + ': ' + spec.show(rates) + spec.unit + ', last two minutes');
}

function makeChart(spec) {
  const now = el('span', {class: 'now'});
  const picture = svg('svg', {viewBox: '0 0 200 38', preserveAspectRatio: 'none', role: 'img'});
  const area = svg('path', {class: 'area' + (spec.bad ? ' bad' : '')});
  const lines = spec.series.map((name, index) =>
    svg('path', {class: 'line' + (index ? ' second' : spec.bad ? ' bad' : '')}));
  picture.append(area, ...lines);
  const value = el('span', {class: 'now'}, now, spec.unit ? el('small', {}, ' ' + spec.unit) : null);
  const root = el('div', {class: 'chart', 'data-chart': spec.id}, el('span', {class: 'label'}, spec.label), value, picture);
  return {spec, now, picture, area, lines, root};
}

function makeCard(id) {
  const state = {
    id, history: [], charts: new Map(), before: null,
    mark: el('span', {class: 'badge'}), name: el('h3', {id: 'name-' + id}), why: el('p', {class: 'why', hidden: true}),
    chain: el('ol', {class: 'chain', 'aria-label': 'Policies, outermost first'}),
    chartRow: el('div', {class: 'charts'}), endpoints: el('div', {}), keys: el('div', {}), controls: el('div', {class: 'controls'}),
    more: el('p', {class: 'more', hidden: true}), figures: el('div', {class: 'scroll', tabindex: '0', 'aria-label': 'All figures'})
  };
  state.details = el('details', {}, el('summary', {}, 'All figures'), state.figures);
  state.details.addEventListener('toggle', () => { if (snapshot) fillFigures(state); });
  state.root = el('article', {class: 'card', 'aria-labelledby': 'name-' + id},
    el('header', {}, state.name, state.mark), state.why, state.chain, state.chartRow, state.endpoints,
    state.keys, state.controls, state.more, state.details);
  return state;
}

/** A policy that is drawn alone, or the parts of one kind that are drawn as one. */
function groups(card) {
  const result = [];
  for (const layer of card.layers) {
    const before = result[result.length - 1];
    const same = layer.linked ? null : result.find(group => !group.linked && group.kind === layer.kind);
    if (layer.kind === 'budget' && before && !same) before.budget = layer;
    else if (same) same.layers.push(layer);
    else result.push({kind: layer.kind, linked: layer.linked, layers: [layer]});
  }
  return result;
}

function fillChain(state, card) {
  const items = groups(card).map(group => {
    const worst = group.layers.reduce((a, b) => b.trouble > a.trouble ? b : a);
    const many = group.layers.length > 1;
    const label = many ? '×' + group.layers.length + (worst.trouble ? ' · ' + worst.name + ' ' + detail(worst) : '') : detail(worst);
    const own = !many && worst.name !== card.name ? worst.name : '';
    const item = el('li', {'data-trouble': worst.trouble, 'data-kind': group.kind, title: group.layers.map(l => l.name).slice(0, 8).join(', ')});
    if (worst.state || worst.trouble) item.append(shape(worst.trouble));
    item.append(el('span', {class: 'kind'}, group.kind));
    if (own) item.append(el('span', {class: 'detail'}, own));
    const words = [label, group.budget ? detail(group.budget) : ''].filter(Boolean).join(' · ');
    if (words) item.append(el('span', {class: 'detail num'}, words));
    return item;
  });
  state.chain.replaceChildren(...items);
  state.chain.hidden = !items.length;
}

function healthTrouble(endpoint) {
  switch (endpoint.state) {
    case 'UNHEALTHY': case 'EJECTED': return 3;
    case 'WARMING': return 2;
    case 'DRAINING': return 1;
    default: return 0;
  }
}

function fillEndpoints(state, card) {
  if (!card.endpoints.length) {
    state.endpoints.replaceChildren();
    return;
  }
  const rate = endpoint => state.rates['pick ' + endpoint.name] || 0;
  const all = card.endpoints.reduce((total, endpoint) => total + rate(endpoint), 0);
  const rows = card.endpoints.map(endpoint => {
    const trouble = healthTrouble(endpoint);
    const share = all > 0 ? rate(endpoint) / all : 0;
    const bar = svg('svg', {class: 'bar', viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true'});
    bar.append(svg('rect', {class: 'back', width: 100, height: 10}), svg('rect', {width: (share * 100).toFixed(1), height: 10}));
    const latency = endpoint.figures['endpoint.latency.nanos'];
    return el('tr', {},
      el('td', {}, endpoint.name.slice(endpoint.name.lastIndexOf('/') + 1)),
      el('td', {}, el('span', {class: 'health t' + trouble}, shape(trouble), (endpoint.state || 'unknown').toLowerCase()),
        endpoint.why ? el('div', {class: 'more'}, endpoint.why) : null),
      el('td', {class: 'r'}, bar, percent(share)),
      el('td', {class: 'r'}, number(endpoint.figures['endpoint.in.flight'])),
      el('td', {class: 'r'}, Number.isFinite(latency) ? nanos(latency) : '–'));
  });
  const head = el('tr', {}, el('th', {scope: 'col'}, 'Endpoint'), el('th', {scope: 'col'}, 'Health'),
    el('th', {scope: 'col', class: 'r'}, 'Share'), el('th', {scope: 'col', class: 'r'}, 'In flight'),
    el('th', {scope: 'col', class: 'r'}, 'Latency'));
  const more = card.moreEndpoints ? el('p', {class: 'more'}, 'and ' + number(card.moreEndpoints) + ' more endpoints') : null;
  state.endpoints.replaceChildren(el('table', {}, el('thead', {}, head), el('tbody', {}, ...rows)), ...(more ? [more] : []));
}

function fillKeys(state, card) {
  if (!card.keys.length) {
    state.keys.replaceChildren();
    return;
  }
  const rows = card.keys.map(hot => {
    const bar = svg('svg', {class: 'bar', viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true'});
    bar.append(svg('rect', {class: 'back', width: 100, height: 10}), svg('rect', {width: (hot.share * 100).toFixed(1), height: 10}));
    return el('tr', {}, el('td', {}, hot.key), el('td', {class: 'r'}, bar, percent(hot.share)));
  });
  const head = el('tr', {}, el('th', {scope: 'col'}, 'Hottest keys'), el('th', {scope: 'col', class: 'r'}, 'Share'));
  state.keys.replaceChildren(el('table', {}, el('thead', {}, head), el('tbody', {}, ...rows)));
}

function fillControls(state, card) {
  const able = card.layers.filter(layer => layer.control);
  const sign = snapshot.buttons + '|' + able.map(layer => layer.control + layer.state + layer.figures['faults.on']).join();
  if (state.controlSign === sign) return; // else a button would lose the focus each second
  state.controlSign = sign;
  state.controls.replaceChildren(...(snapshot.buttons ? able.map(layer => {
    const named = layer.kind + ' ' + layer.name;
    const row = el('div', {}, el('span', {}, named));
    const button = (label, action, danger, timed) => row.append(el('button', {type: 'button', class: danger ? 'danger' : '',
      'data-press': action, 'aria-label': label + ' ' + named,
      onclick: () => ask(label + ': ' + named, {control: layer.control, action}, timed)}, label));
    if (layer.kind === 'breaker') {
      if (layer.state !== 'FORCED_OPEN') button('Force open', 'force-open', true, 'optional');
      if (layer.state !== 'CLOSED') button('Reset', 'reset', false, null);
    } else if (layer.figures['faults.on'] > 0) {
      button('Faults off', 'off', false, null);
    } else {
      button('Faults on', 'on', true, 'required');
    }
    return row;
  }) : []));
}

function fillFigures(state) {
  const card = snapshot.cards.find(each => each.id === state.id);
  if (!state.details.open || !card) return;
  const rows = [];
  for (const layer of card.layers.concat(card.endpoints)) {
    for (const [metric, value] of Object.entries(layer.figures)) {
      const shown = value === null ? '–' : metric.endsWith('.nanos') ? nanos(value) : number(value);
      rows.push(el('tr', {}, el('td', {}, layer.name), el('td', {}, metric), el('td', {class: 'r'}, shown)));
    }
  }
  state.figures.replaceChildren(el('table', {}, el('tbody', {}, ...rows)));
}

function fillCard(state, card) {
  const refused = state.rates.refused > 0;
  const silent = !card.layers.length && !card.endpoints.length;
  const trouble = Math.max(card.trouble, refused || silent ? 2 : 0, card.broken ? 1 : 0);
  let why = card.why || (refused ? 'refuses ' + number(state.rates.refused) + ' calls a second' : '');
  if (silent) why = 'has no figures';
  if (card.broken) why += (why ? '; ' : '') + 'some figures cannot be read, see the log';
  state.trouble = trouble;
  state.root.setAttribute('data-trouble', trouble);
  text(state.name, card.name);
  state.mark.className = 'badge t' + trouble;
  if (state.markTrouble !== trouble) {
    state.markTrouble = trouble;
    state.mark.replaceChildren(shape(trouble), WORDS[trouble]);
  }
  text(state.why, why);
  state.why.hidden = !why;
  fillChain(state, card);
  for (const spec of CHARTS) {
    if (!spec.series.some(name => state.has.has(name))) continue;
    if (!state.charts.has(spec.id)) {
      const chart = makeChart(spec);
      state.charts.set(spec.id, chart);
      // In the order of the list, whenever it comes.
      const order = CHARTS.map(each => each.id);
      const next = [...state.chartRow.children].find(child => order.indexOf(child.dataset.chart) > order.indexOf(spec.id));
      state.chartRow.insertBefore(chart.root, next || null);
    }
    draw(state.charts.get(spec.id), state.history, state.rates);
  }
  fillEndpoints(state, card);
  fillKeys(state, card);
  fillControls(state, card);
  text(state.more, card.moreLayers ? 'and ' + number(card.moreLayers) + ' more, with less trouble' : '');
  state.more.hidden = !card.moreLayers;
  fillFigures(state);
}

function fillActions() {
  byId('rehearsal').hidden = !snapshot.buttons || !snapshot.actions.length;
  const sign = JSON.stringify(snapshot.actions);
  if (fillActions.sign === sign) return;
  fillActions.sign = sign;
  byId('actions').replaceChildren(...snapshot.actions.map(action => {
    const isSwitch = action.on !== null;
    const press = isSwitch ? (action.on ? 'off' : 'on') : 'run';
    return el('button', {type: 'button', class: action.on ? 'on' : '', 'aria-pressed': isSwitch ? String(action.on) : null,
      onclick: () => ask(action.name + (isSwitch ? ': ' + press : ''), {control: action.control, action: press}, null)},
      action.name + (action.on ? ' · on' : ''));
  }));
}

function addEvents(events) {
  const list = byId('events');
  for (const event of events) {
    if (event.number <= lastEvent) continue;
    lastEvent = event.number;
    const often = /^(refused|tried again|asked a second|answered)/.test(event.text);
    const trouble = event.level === 'WARN' ? 2 : event.level === 'ACTION' ? 1 : 0;
    const when = new Date(event.at);
    // Of what comes often, and of a breaker whose probes fail, there is one line, the last one.
    const flips = /^(half open → open|open → half open)$/.test(event.text);
    const key = often || flips ? event.kind + ' ' + event.name + ' ' + (flips ? 'flips' : event.text.slice(0, 5)) : '';
    const same = key ? [...list.children].slice(0, 20).find(item => item.dataset.key === key) : null;
    const times = flips && same ? Number(same.dataset.times) + 1 : 1;
    if (same) same.remove();
    list.prepend(el('li', {'data-often': String(often), 'data-key': key, 'data-times': String(times), 'data-level': event.level},
      el('time', {datetime: when.toISOString()}, clock.format(when)), shape(trouble),
      el('p', {}, el('span', {class: 'of'}, event.kind + ' '), el('b', {}, event.name), ' ' + event.text,
        times > 2 ? el('span', {class: 'of'}, ', ' + times + ' changes') : null)));
  }
  while (list.children.length > MAX_EVENTS) list.lastChild.remove();
  const none = list.querySelector('.none');
  if (!list.children.length) list.append(el('li', {class: 'none'}, 'None yet. Changes of state, refusals and actions come here.'));
  else if (none && list.children.length > 1) none.remove();
}

function show(next) {
  if (next.wait) return;
  receivedAt = performance.now();
  if (paused) {
    return; // what is missed comes with the events of the next reading
  }
  const isNew = !snapshot || next.number !== snapshot.number;
  const seconds = snapshot && sampledAt ? (next.at - sampledAt) / 1000 : 0;
  if (snapshot && next.started !== snapshot.started) {
    restart();
    stopStream(); // another process: all of its events, please
  }
  snapshot = next;
  addEvents(next.events);
  if (!isNew) return;
  sampledAt = next.at;
  text(byId('title'), next.title);
  document.title = next.title + ' · Levee';
  byId('unlock').hidden = !next.buttons;
  const seen = new Set();
  for (const card of next.cards) {
    seen.add(card.id);
    if (!cards.has(card.id)) cards.set(card.id, makeCard(card.id));
    const state = cards.get(card.id);
    sample(state, card, seconds);
    fillCard(state, card);
  }
  for (const [id, state] of cards) {
    if (!seen.has(id)) {
      state.root.remove();
      cards.delete(id);
    }
  }
  arrange(next);
  fillActions();
}

/** Puts the cards in order of trouble; one that has calmed down keeps its place for a while, so that nothing jumps. */
function arrange(next) {
  const main = byId('cards');
  const now = performance.now();
  const states = next.cards.map(card => cards.get(card.id));
  states.forEach((state, index) => {
    if (state.place === undefined || state.trouble >= state.place.trouble || now - state.place.at > 10000) {
      state.place = {trouble: state.trouble, at: now};
    }
    state.number = Number(state.id.slice(1));
  });
  states.sort((a, b) => b.place.trouble - a.place.trouble || a.number - b.number);
  states.forEach((state, index) => {
    if (main.children[index] !== state.root) main.insertBefore(state.root, main.children[index] || null);
  });
  let empty = main.querySelector('.empty');
  if (!states.length && !empty) main.append(el('p', {class: 'empty'}, 'Nothing is shown yet: give pipelines, balancers and caches to Console.show.'));
  else if (states.length && empty) empty.remove();
  const bad = states.filter(state => state.trouble >= 2).length;
  const worst = states.reduce((most, state) => Math.max(most, state.trouble), 0);
  const line = bad ? bad + ' of ' + states.length + ' need attention' : states.length ? 'All ' + states.length + ' fine' : 'Nothing shown';
  const sumLine = byId('sum');
  if (sumLine.dataset.line !== worst + line) {
    sumLine.dataset.line = worst + line;
    sumLine.replaceChildren(shape(worst), line + (next.moreCards ? ', ' + next.moreCards + ' not shown' : ''));
  }
}

function restart() {
  cards.forEach(state => state.root.remove());
  cards.clear();
  lastEvent = 0;
  sampledAt = 0;
  byId('events').replaceChildren();
}

// ---- the stream: server-sent events, read by fetch, because the token goes into a header and never into an address

let generation = 0;

async function follow() {
  const mine = ++generation;
  const abort = new AbortController();
  stopStream = () => abort.abort();
  const headers = {'Accept': 'text/event-stream'};
  if (token) headers['Authorization'] = 'Bearer ' + token;
  if (lastEvent) headers['Last-Event-ID'] = String(lastEvent);
  let wait = 2000;
  try {
    const answer = await fetch('/api/stream', {headers, signal: abort.signal, cache: 'no-store'});
    if (answer.status === 401) {
      wait = 0;
      await askToken('The figures of this console need its token.');
    } else if (!answer.ok) {
      wait = 5000;
      const problem = await answer.json();
      offline(problem.error);
    } else {
      const reader = answer.body.getReader();
      const decoder = new TextDecoder();
      let buffer = '';
      for (;;) {
        const {done, value} = await reader.read();
        if (done) break;
        buffer += decoder.decode(value, {stream: true});
        let end;
        while ((end = buffer.indexOf('\n\n')) >= 0) {
          const data = buffer.slice(0, end).split('\n').filter(line => line.startsWith('data: ')).map(line => line.slice(6)).join('\n');
          buffer = buffer.slice(end + 2);
          if (data) show(JSON.parse(data));
        }
      }
    }
  } catch (problem) {
    if (abort.signal.aborted) wait = 0;
    else offline('no connection');
  }
  if (!document.hidden && mine === generation) setTimeout(() => { if (mine === generation) follow(); }, wait);
}

function offline(why) {
  byId('age').classList.add('late');
  text(byId('age'), 'Not connected: ' + why);
}

// A page in the background lets go of its place: browsers allow six connections to a host, over all tabs.
document.addEventListener('visibilitychange', () => {
  if (document.hidden) stopStream();
  else follow();
});

setInterval(() => {
  if (!receivedAt || document.hidden) return;
  const seconds = (performance.now() - receivedAt) / 1000;
  const line = byId('age');
  line.classList.toggle('late', seconds > 5);
  if (seconds > 5) text(line, 'Data is ' + age(seconds) + ' old');
  else if (snapshot) text(line, (paused ? 'Paused · ' : 'Live · ') + 'up ' + age((snapshot.at - snapshot.started) / 1000));
}, 1000);

// ---- buttons

function dialog(title, words, parts) {
  text(byId('ask-title'), title);
  text(byId('ask-text'), words);
  text(byId('ask-error'), '');
  byId('token-row').hidden = !parts.token;
  byId('reason-row').hidden = !parts.reason;
  byId('minutes-row').hidden = !parts.minutes;
  byId('until').hidden = parts.minutes === 'required';
  byId('until').disabled = parts.minutes === 'required';
  byId('ask-minutes').value = '10';
  byId('ask-reason').value = '';
  byId('ask-token').value = '';
  const box = byId('ask');
  return new Promise(resolve => {
    const finish = async sure => {
      if (sure) {
        const problem = await parts.send();
        if (problem) {
          text(byId('ask-error'), problem);
          return;
        }
      }
      byId('ask-form').onsubmit = byId('ask-no').onclick = box.oncancel = null;
      box.close();
      resolve(sure);
    };
    byId('ask-form').onsubmit = event => { event.preventDefault(); finish(true); };
    byId('ask-no').onclick = () => finish(false);
    box.oncancel = event => { event.preventDefault(); finish(false); };
    if (!box.open) box.showModal();
    (parts.token ? byId('ask-token') : byId('ask-reason')).focus();
  });
}

function askToken(words) {
  return dialog('Token', words, {token: true, send: async () => {
    const value = byId('ask-token').value.trim();
    if (!/^[\x21-\x7e]{16,200}$/.test(value)) return 'A token has 16 to 200 characters.';
    setToken(value);
    return '';
  }});
}

function setToken(value) {
  token = value;
  text(byId('unlock'), token ? 'Lock' : 'Unlock');
}

async function ask(title, request, minutes) {
  if (!token && !await askToken('Buttons need the token that the console was started with.')) return;
  await dialog(title, 'It takes effect at once, for all callers of this process.', {reason: true, minutes, send: async () => {
    const reason = byId('ask-reason').value.trim();
    if (!reason) return 'Say why: it is logged, and shown among the events.';
    const body = {...request, reason};
    if (minutes && byId('ask-minutes').value) body.minutes = byId('ask-minutes').value;
    try {
      const answer = await fetch('/api/press', {method: 'POST', cache: 'no-store', body: JSON.stringify(body), headers: {
        'Content-Type': 'application/json', 'X-Levee-Console': '1', 'Authorization': 'Bearer ' + token}});
      if (answer.ok) return '';
      const problem = await answer.json();
      if (answer.status === 401) setToken('');
      return problem.error + (answer.status === 401 ? ' Cancel, and unlock the buttons again.' : '');
    } catch (problem) {
      return 'The console does not answer.';
    }
  }});
}

byId('unlock').addEventListener('click', () => token ? setToken('') : askToken('The token that the console was started with. This page keeps it until it is closed.'));
byId('pause').addEventListener('click', () => {
  paused = !paused;
  byId('pause').setAttribute('aria-pressed', String(paused));
  text(byId('pause'), paused ? 'Go on' : 'Pause');
  if (!paused) stopStream(); // the next stream brings the events that were missed
});
byId('only').addEventListener('change', event => byId('events').classList.toggle('only', event.target.checked));

// ---- theme: the system's, unless chosen

const dark = matchMedia('(prefers-color-scheme: dark)');
let theme = 'system';
try { theme = localStorage.getItem('levee-theme') || 'system'; } catch (none) { /* storage may be off */ }

function applyTheme() {
  document.documentElement.dataset.theme = theme === 'system' ? (dark.matches ? 'dark' : 'light') : theme;
  text(byId('theme'), 'Theme: ' + theme);
}

byId('theme').addEventListener('click', () => {
  theme = {system: 'light', light: 'dark', dark: 'system'}[theme] || 'system';
  try { localStorage.setItem('levee-theme', theme); } catch (none) { /* as above */ }
  applyTheme();
});
dark.addEventListener('change', applyTheme);
applyTheme();

// A token behind # is never sent to a server; it is taken out of the address at once.
const given = /^#token=([\x21-\x7e]{16,200})$/.exec(location.hash);
if (given) {
  setToken(decodeURIComponent(given[1]));
  history.replaceState(null, '', location.pathname);
}
addEvents([]);
follow();
