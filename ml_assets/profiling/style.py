"""How the page of a profile looks. No fonts, pictures or scripts from anywhere else."""

STYLE = """
:root { --ink: #1c2430; --quiet: #6a7484; --line: #e3e7ee; --paper: #f6f7fa; --bar: #2f6fde; --soft: #dbe6fb;
  --critical: #b3261e; --warning: #9a6700; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header { background: #fff; border-bottom: 1px solid var(--line); padding: 24px max(24px, calc(50vw - 700px)); }
h1 { font-size: 22px; margin: 0; } header p { margin: 2px 0 14px; color: var(--quiet); }
h2 { font-size: 15px; margin: 0 0 10px; }
dl { display: flex; flex-wrap: wrap; gap: 10px 34px; margin: 0; }
dt { color: var(--quiet); font-size: 12px; } dd { margin: 0; font-size: 20px; font-variant-numeric: tabular-nums; }
main { max-width: 1448px; margin: 0 auto; padding: 20px 24px 60px; display: grid; gap: 16px; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(330px, 1fr)); }
section { background: #fff; border: 1px solid var(--line); border-radius: 10px; padding: 16px 18px; min-width: 0; }
.wide { grid-column: 1 / -1; } .scroll { overflow-x: auto; }
.quiet { color: var(--quiet); margin: -4px 0 8px; }
.wide ul { columns: 3 300px; column-gap: 28px; } .wide li { break-inside: avoid; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.index { width: 100%; } .index th { text-align: left; color: var(--quiet); font-weight: 500; font-size: 12px; }
.index td, .index th { padding: 3px 14px 3px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
.index tr:last-child td { border-bottom: 0; } .n { text-align: right; }
.index th:nth-child(n+4) { text-align: right; }
a { color: inherit; text-decoration: none; border-bottom: 1px solid var(--soft); } a:hover { color: var(--bar); }
.share span { display: inline-block; width: 68px; }
.share b { display: inline-block; width: 90px; height: 7px; background: var(--paper); border-radius: 4px;
  overflow: hidden; vertical-align: middle; } .share i { display: block; height: 100%; background: var(--bar); }
.card:target { outline: 2px solid var(--bar); }
h3 { font-size: 15px; margin: 0; overflow-wrap: anywhere; }
.facts { color: var(--quiet); font-size: 12px; margin-bottom: 8px; }
figure { margin: 0 0 8px; } figcaption { color: var(--quiet); font-size: 11px; }
svg { width: 100%; display: block; } svg rect { fill: var(--bar); } svg rect:hover { fill: #174ea6; }
svg text { fill: var(--quiet); font-size: 10px; }
svg .mark { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 2 2; opacity: .45; }
.small { display: flex; align-items: end; gap: 10px; } .spark { width: 132px; flex: none; }
.spark rect { fill: #8aa9e6; } .spark .zero { stroke: var(--line); }
.quantiles { width: 100%; margin-bottom: 8px; font-size: 10.5px; table-layout: fixed; }
.quantiles th { color: var(--quiet); font-weight: 400; text-align: left; padding: 0; }
.quantiles td { padding: 0; overflow: hidden; text-overflow: ellipsis; }
.examples { color: var(--quiet); margin-bottom: 8px; overflow-wrap: anywhere; }
code { font: 11px ui-monospace, Menlo, Consolas, monospace; background: var(--paper); border-radius: 4px;
  padding: 2px 5px; margin: 0 4px 4px 0; display: inline-block; color: var(--ink); }
ul { list-style: none; margin: 0; padding: 0; }
li { border-left: 3px solid var(--line); padding: 0 0 0 9px; margin-top: 6px; overflow-wrap: anywhere; }
li.critical { border-color: var(--critical); } li.warning { border-color: #e0a800; }
li span { font-size: 12.5px; } li p { margin: 0; color: var(--quiet); font-size: 11.5px; }
@media print { body { background: #fff; } section { break-inside: avoid; } }
"""
