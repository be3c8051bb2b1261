"""How the pages look, in light and in dark. Blue and orange, told apart by everyone; verdicts by shape as well."""

STYLE = """
:root { color-scheme: light dark; --paper: #f5f6f8; --card: #ffffff; --ink: #16202e; --quiet: #5d6878; --line: #e1e5eb;
  --blue: #2563c9; --soft: #c9dcf7; --bad: #c8500a; --onbad: #ffffff; --reign0: #d5dbe5; --reign1: #b9c3d3;
  --h0: #eef4fb; --h1: #d5e5f6; --h2: #b3cfee; --h3: #8ab4e2; --h4: #f9c48a; --h5: #ec8b3d; --h6: #b8420a;
  --hx: #e4e7ec; --dot: #16202e; }
@media (prefers-color-scheme: dark) { :root { --paper: #10151d; --card: #18202b; --ink: #e6ebf2; --quiet: #98a4b5;
  --line: #2a3442; --blue: #6ea6f5; --soft: #27436b; --bad: #f58b43; --onbad: #1b120a; --reign0: #2b3645;
  --reign1: #3a485b; --h0: #1c2733; --h1: #20344a; --h2: #264a70; --h3: #2f659e; --h4: #8a5a24; --h5: #c9742a;
  --h6: #ffad66; --hx: #232b36; --dot: #ffffff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1320px; margin: 0 auto; padding: 28px 24px 72px; }
h1 { font-size: 15px; font-weight: 600; margin: 0; } h1 a { font-weight: 400; }
h2 { font-size: 16px; margin: 0 0 2px; } p { margin: 0; } small, .quiet, .un { color: var(--quiet); }
a { color: var(--blue); text-decoration: none; } a:hover { text-decoration: underline; }
a:focus-visible, .chart:focus-visible, summary:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
.headline { font-size: clamp(18px, 2.4vw, 25px); line-height: 1.32; letter-spacing: -.01em; margin: 6px 0 0;
  max-width: 62ch; }
.state { display: flex; margin-top: 14px; align-items: center; gap: 8px; font-weight: 600; font-size: 13px; }
.state svg { width: 18px; height: 18px; flex: none; }
.state.good svg, .state.none svg { color: var(--blue); }
.state.watch svg, .state.bad svg { color: var(--bad); }
section, .card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px 20px;
  margin-top: 18px; }
dl.facts { display: flex; flex-wrap: wrap; gap: 12px 38px; margin: 16px 0 0; }
dl.facts dt { color: var(--quiet); font-size: 12px; } dl.facts dd { margin: 0; font-size: 20px; }
dd, td, .tick { font-variant-numeric: tabular-nums; }
.chart { display: flex; overflow-x: auto; margin-top: 10px; position: relative; }
.names { position: sticky; left: 0; flex: 0 0 190px; background: var(--card); z-index: 1; }
.names div { position: absolute; left: 0; right: 10px; transform: translateY(-50%); white-space: nowrap;
  overflow: hidden; text-overflow: ellipsis; line-height: 17px; }
.names span { position: relative; } .names .title { font-weight: 600; font-size: 13px; }
.names .row { font-size: 12px; padding-left: 6px; height: 15px; line-height: 15px; }
.names .row i { position: absolute; left: 0; top: 0; bottom: 0; background: var(--soft); border-radius: 3px;
  opacity: .75; }
.names .tick { text-align: right; font-size: 11px; color: var(--quiet); } .names .quiet { font-size: 11px; }
.plot { flex: none; position: relative; } .plot svg { display: block; }
svg text { fill: var(--quiet); font-size: 11px; } .small { font-size: 10.5px; }
.onreign { fill: var(--ink) !important; font-weight: 600; }
.rule, .tick { stroke: var(--line); stroke-width: 1; fill: none; } .names .tick { stroke: none; }
.band { fill: var(--soft); opacity: .7; } .heldout { stroke: var(--blue); stroke-width: 1.2; opacity: .55; fill: none; }
.limit { stroke: var(--bad); stroke-width: 1.3; stroke-dasharray: 5 4; fill: none; }
.curve { stroke: var(--blue); stroke-width: 2; fill: none; stroke-linejoin: round; }
.point { fill: var(--card); stroke: var(--blue); stroke-width: 2; }
.badpoint { fill: var(--bad); stroke: var(--card); stroke-width: 1; }
.reign0 { fill: var(--reign0); } .reign1 { fill: var(--reign1); }
.ok { fill: var(--h3); } .failed { fill: var(--bad); } .unjudged { stroke: var(--quiet); opacity: .7; fill: none; }
.cross, .sign { stroke: var(--onbad); stroke-width: 2; fill: none; stroke-linecap: round; }
.cause { stroke: var(--quiet); stroke-width: 1.5; fill: none; } .dot { fill: var(--bad); }
.won { fill: var(--blue); } .won + .sign { stroke: var(--card); }
.lost, .flying { fill: var(--card); stroke: var(--quiet); stroke-width: 1.8; } .flying { stroke-dasharray: 3 3; }
.lostsign { stroke: var(--quiet); stroke-width: 1.8; fill: none; }
.letter rect { fill: var(--card); stroke: var(--blue); } .letter path { stroke: var(--blue); fill: none; }
.badnews rect { fill: var(--bad); stroke: var(--bad); } .badnews path { stroke: var(--onbad); }
.h0 { fill: var(--h0); } .h1 { fill: var(--h1); } .h2 { fill: var(--h2); } .h3 { fill: var(--h3); }
.h4 { fill: var(--h4); } .h5 { fill: var(--h5); } .h6 { fill: var(--h6); } .hx { fill: var(--hx); }
.drifted { fill: var(--dot); } .cursor { fill: var(--ink); opacity: .07; } .picked { opacity: .13; }
.tip { position: absolute; pointer-events: none; background: var(--ink); color: var(--card); border-radius: 6px;
  padding: 3px 8px; font-size: 12px; white-space: nowrap; z-index: 2; }
.legend { display: flex; flex-wrap: wrap; gap: 6px 20px; margin-top: 10px; font-size: 12px; color: var(--quiet); }
.legend span { display: inline-flex; align-items: center; gap: 6px; } .legend svg { flex: none; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 500; font-size: 12px; color: var(--quiet); white-space: nowrap; }
th, td { padding: 7px 18px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:first-child, td:last-child, td > span { white-space: nowrap; }
tr:last-child td { border-bottom: 0; } em { font-style: normal; }
.no em { color: var(--bad); font-weight: 600; } .no em::before { content: "✕ "; } .ok em::before { content: "✓ "; }
.un em::before { content: "– "; }
summary { cursor: pointer; font-weight: 600; } details table { margin-top: 8px; }
#inspector dl { display: grid; grid-template-columns: .5fr .9fr 2.2fr 1.2fr .7fr; gap: 12px 28px; margin: 8px 0 0; }
#inspector dt { color: var(--quiet); font-size: 12px; } #inspector dd { margin: 0; overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(330px, 1fr)); gap: 18px; margin-top: 18px; }
.cards .card { margin: 0; display: block; color: inherit; } .cards .card:hover { border-color: var(--blue);
  text-decoration: none; } .cards p { margin: 8px 0; } .cards svg.spark { width: 100%; height: 52px; display: block; }
@media (max-width: 900px) { #inspector dl { grid-template-columns: 1fr 2fr; } table { min-width: 820px; } }
@media (max-width: 640px) { #inspector dl { grid-template-columns: 1fr; }
  main { padding: 18px 10px 48px; } section, .card { padding: 14px 12px; }
  .names { flex-basis: 116px; } .names .row, .names .title { font-size: 11px; } dl.facts { gap: 10px 22px; }
  dl.facts dd { font-size: 17px; } }
@media print { body { background: #fff; } section { break-inside: avoid; } .chart { overflow: visible; } }
"""
