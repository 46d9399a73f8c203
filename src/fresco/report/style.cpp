#include "fresco/report/style.h"

namespace fresco::report {

const char* const kPageStyle = R"css(
:root {
  color-scheme: light dark;
  --page: #f7f6f3; --card: #ffffff; --ink: #1d1c1a; --soft: #6a675f; --line: #e3e0d8; --grid: #eceae4;
  --a: #2b62c9; --a-mid: #7fa3e6; --a-low: #c6d6f5; --b: #c4521a; --b-mid: #e8a17c; --b-low: #f6d9ca;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #141516; --card: #1d1f21; --ink: #ecebe8; --soft: #a29f97; --line: #34363a; --grid: #2a2c2f;
    --a: #79a6ff; --a-mid: #44649f; --a-low: #2b3a57; --b: #ff9b63; --b-mid: #a0623f; --b-low: #573a2a;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 40px 20px 56px; }
h1 { font-size: clamp(1.5rem, 5vw, 2.3rem); line-height: 1.2; margin: 0 0 16px; font-weight: 650; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h1 small { font-size: 0.6em; font-weight: 400; color: var(--soft); }
h2 { font-size: 1.12rem; margin: 0 0 4px; font-weight: 650; }
p { margin: 0 0 10px; }
a { color: inherit; }
.soft, .eyebrow, figcaption { color: var(--soft); font-size: 0.875rem; }
.eyebrow { margin-bottom: 10px; }
.verdict { font-size: clamp(1.05rem, 3vw, 1.25rem); max-width: 46em; text-wrap: pretty; }
.a { --side: var(--a); --mid: var(--a-mid); --low: var(--a-low); }
.b { --side: var(--b); --mid: var(--b-mid); --low: var(--b-low); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 20px; margin-top: 20px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)); gap: 16px; margin-top: 24px; }
.tiles section { margin: 0; padding: 16px 18px; }
.tiles h2 { font-size: 0.95rem; display: flex; justify-content: space-between; gap: 8px; margin-bottom: 10px; }
.tiles h2 span { color: var(--soft); font-weight: 400; font-size: 0.85rem; white-space: nowrap; }
.chip { display: inline-block; flex: none; width: 1.55em; height: 1.55em; line-height: 1.55em; border-radius: 50%; text-align: center; font-size: 0.78rem; font-weight: 700; background: var(--side); color: var(--card); }
.row { display: flex; align-items: center; gap: 10px; margin-top: 6px; }
.row strong { flex: none; min-width: 5.2em; text-align: right; }
strong, td { font-variant-numeric: tabular-nums; }
strong { font-weight: 600; }
svg { display: block; width: 100%; overflow: visible; }
svg text { fill: var(--soft); font-size: 12px; }
.bar { height: 26px; border-radius: 4px; overflow: hidden; background: var(--grid); }
.thin.bar { height: 12px; border-radius: 3px; flex: 1; min-width: 0; width: auto; }
.plot { display: grid; grid-template-columns: 44px 1fr; column-gap: 8px; margin-top: 16px; } .up, .canvas { height: 220px; } .along { height: 20px; grid-column: 2; }
.grid { stroke: var(--line); stroke-width: 1; }
.line { fill: none; stroke: var(--side); stroke-width: 2; vector-effect: non-scaling-stroke; }
.band { fill: var(--side); fill-opacity: 0.16; stroke: none; }
.inside { overflow: hidden; } .tip { fill: transparent; } .tip:hover { fill: var(--ink); fill-opacity: 0.06; }
.line.faint { stroke-width: 1; stroke-opacity: 0.35; } circle { fill: var(--side); }
.mark { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 3 3; }
.legend { display: flex; flex-wrap: wrap; gap: 6px 20px; margin-top: 8px; font-size: 0.875rem; } .legend span { display: flex; align-items: center; gap: 8px; overflow-wrap: anywhere; }
figure { margin: 0; min-width: 0; } figure > p { margin: 0 0 8px; overflow-wrap: anywhere; } figure > p span { color: var(--soft); font-size: 0.875rem; white-space: nowrap; }
.scroll { overflow-x: auto; margin-top: 10px; }
table { border-collapse: collapse; width: 100%; font-size: 0.94rem; }
th, td { text-align: right; padding: 5px 0 5px 16px; border-top: 1px solid var(--grid); white-space: nowrap; }
th { font-weight: 400; } thead th { border: 0; color: var(--soft); font-size: 0.875rem; vertical-align: bottom; white-space: normal; }
th:first-child { text-align: left; padding-left: 0; white-space: normal; } .group th { font-weight: 650; padding-top: 16px; border: 0; }
.settings td { white-space: normal; overflow-wrap: anywhere; } .settings th:first-child { width: 30%; }
ul { margin: 8px 0 0; padding-left: 1.2em; } li { margin-bottom: 6px; }
dl { display: grid; grid-template-columns: minmax(7em, 30%) 1fr; gap: 4px 16px; margin: 10px 0 0; font-size: 0.94rem; } dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
footer { margin-top: 24px; }
@media (max-width: 480px) {
  main { padding: 24px 12px 40px; } section { padding: 16px 14px; }
  th, td { padding-left: 10px; } table { font-size: 0.875rem; }
}
@media print { section { break-inside: avoid; } body { background: none; } }
)css";

}  // namespace fresco::report
