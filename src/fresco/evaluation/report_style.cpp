#include "fresco/evaluation/report_style.h"

namespace fresco::evaluation {

const char* const kReportStyle = R"css(
h1 .a, h1 .b { color: var(--side); }
.bar .text { fill: var(--low); } .bar .denoise { fill: var(--side); } .bar .decode { fill: var(--mid); }
.dots { height: 14px; margin-top: 3px; } .dots circle { fill: var(--side); fill-opacity: 0.45; }
.stages { margin-top: 18px; }
.name { display: flex; align-items: center; gap: 10px; margin-bottom: 6px; } .name span { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.parts { font-variant-numeric: tabular-nums; display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 5px 0 0; font-size: 0.875rem; color: var(--soft); }
.parts i { display: inline-block; width: 0.7em; height: 0.7em; border-radius: 2px; margin-right: 0.45em; }
i.text { background: var(--low); } i.denoise { background: var(--side); } i.decode { background: var(--mid); }
.pairs { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 26px 24px; margin-top: 14px; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; } .two div { min-width: 0; }
.two img { display: block; width: 100%; height: auto; border-radius: 8px; background: var(--grid); }
.under { display: flex; align-items: center; gap: 8px; margin-top: 6px; font-size: 0.875rem; color: var(--soft); font-variant-numeric: tabular-nums; }
.best { font-weight: 650; color: var(--side); }
.chip + .full { margin-left: 0.2em; }
@media (max-width: 480px) { .full { display: none; } }
)css";

}  // namespace fresco::evaluation
