"""The pages' only script: which window is looked at, and how far a feature is. Without it all is in the tables."""

SCRIPT = """
(() => {
  const chart = document.querySelector('.chart'), plot = document.querySelector('.plot');
  if (!chart) return;
  const keys = plot.dataset.keys.split(' '), cell = +plot.dataset.cell;
  const far = JSON.parse(document.getElementById('distances').textContent);
  const [cursor, picked] = ['cursor', 'cursor picked'].map(name => {
    const rect = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    for (const [key, value] of Object.entries({ class: name, y: 0, width: cell, height: '100%', x: -99 }))
      rect.setAttribute(key, value);
    plot.firstElementChild.prepend(rect);
    return rect;
  });
  const tip = Object.assign(document.createElement('div'), { className: 'tip', hidden: true });
  plot.append(tip);
  const heads = [...document.querySelectorAll('#windows th')].map(head => head.textContent);
  let now = keys.indexOf(document.getElementById('inspector').dataset.window);
  const show = place => {
    if (place < 0 || place >= keys.length) return;
    now = place;
    picked.setAttribute('x', place * cell);
    const row = document.querySelector(`#windows tr[data-window="${CSS.escape(keys[place])}"]`);
    const list = document.createElement('dl');
    (row ? [...row.cells] : []).slice(1).forEach((from, i) => {
      const name = document.createElement('dt'), value = document.createElement('dd');
      name.textContent = heads[i + 1];
      value.append(...[...from.cloneNode(true).childNodes]);
      const both = document.createElement('div');
      both.append(name, value);
      list.append(both);
    });
    const box = document.getElementById('inspector');
    box.hidden = false;
    box.querySelector('h2').textContent = 'Window ' + keys[place];
    box.querySelector('dl').replaceWith(list);
    box.querySelector('p').hidden = !!row;
  };
  const at = event => Math.floor((event.clientX - plot.getBoundingClientRect().left) / cell);
  const feature = event => {
    let row = 0;
    for (const group of plot.querySelectorAll('[data-rows]')) {
      const box = group.parentElement.getScreenCTM();
      const place = Math.floor((event.clientY - box.f - 24) / 17);
      if (place >= 0 && place < +group.dataset.rows) return row + place;
      row += +group.dataset.rows;
    }
    return -1;
  };
  plot.addEventListener('pointermove', event => {
    const place = at(event), row = feature(event), ratio = row < 0 ? null : far.ratios[row][place];
    cursor.setAttribute('x', place * cell);
    tip.textContent = keys[place] + (ratio == null ? '' : `: ${far.features[row]} ${ratio} × its threshold`);
    tip.hidden = false;
    const left = event.clientX - plot.getBoundingClientRect().left;
    tip.style.top = event.clientY - plot.getBoundingClientRect().top + 16 + 'px';
    tip.style.left = Math.min(left + 12, plot.clientWidth - tip.offsetWidth - 4) + 'px';
  });
  plot.addEventListener('pointerleave', () => { tip.hidden = true; cursor.setAttribute('x', -99); });
  plot.addEventListener('click', event => show(at(event)));
  chart.addEventListener('keydown', event => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -keys.length, End: keys.length }[event.key];
    if (!step) return;
    event.preventDefault();
    show(Math.min(Math.max(now + step, 0), keys.length - 1));
  });
  chart.scrollLeft = chart.scrollWidth;
  show(now);
})();
"""
