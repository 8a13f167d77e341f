namespace JepaSharp.Reports;

/// <summary>The page's style: its own, from nowhere else; light or dark as the reader's system is; one column on a phone.</summary>
internal static class ReportStyle
{
    public const string Css = """
        :root { color-scheme: light dark; --paper: #fbfbf9; --card: #fff; --ink: #1f2328; --faint: #626a73; --rule: #dcdfe3; --warn: #fff4e0; --warn-edge: #d98200; --good: #e8f5ee; --good-edge: #17805a;
          --c1: #0069b4; --c2: #c8501a; --c3: #16805f; --c4: #8a5cc2; }
        @media (prefers-color-scheme: dark) { :root { --paper: #15181c; --card: #1d2126; --ink: #e6e8ea; --faint: #9aa3ad; --rule: #363c44; --warn: #3a2c12; --warn-edge: #e8a33d; --good: #14301f; --good-edge: #4cc38a;
          --c1: #5db1ee; --c2: #f08a5b; --c3: #56c596; --c4: #b893ea; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 64rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
        h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
        h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; padding-bottom: .25rem; border-bottom: 1px solid var(--rule); }
        h3 { font-size: .95rem; margin: 0 0 .25rem; }
        p { margin: .4rem 0; } .lead, .faint, figcaption { color: var(--faint); } figcaption { font-size: .85rem; }
        code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .85em; }
        code { overflow-wrap: anywhere; }
        .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1rem 0; padding: 0; }
        .facts div { background: var(--card); border: 1px solid var(--rule); border-radius: .5rem; padding: .6rem .8rem; }
        .facts dt { color: var(--faint); font-size: .8rem; } .facts dd { margin: 0; font-size: 1.15rem; font-weight: 600; overflow-wrap: anywhere; }
        .note { border-left: .3rem solid var(--good-edge); background: var(--good); border-radius: .3rem; padding: .6rem .9rem; margin: 1rem 0; }
        .note.warning { border-color: var(--warn-edge); background: var(--warn); }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)); gap: 1rem; }
        figure { margin: 0; } .chart { background: var(--card); border: 1px solid var(--rule); border-radius: .5rem; padding: .8rem; }
        .chart svg { width: 100%; height: auto; display: block; } .chart figcaption { margin-top: .4rem; }
        .legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; font-size: .85rem; margin: 0 0 .3rem; }
        .legend i { display: inline-block; width: 1.1rem; height: .25rem; border-radius: .2rem; vertical-align: middle; margin-right: .35rem; }
        i.c1 { background: var(--c1); } i.c2 { background: var(--c2); } i.c3 { background: var(--c3); } i.c4 { background: var(--c4); }
        svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; } svg .band { opacity: .18; stroke: none; }
        svg .line.c1 { stroke: var(--c1); } svg .line.c2 { stroke: var(--c2); } svg .line.c3 { stroke: var(--c3); } svg .line.c4 { stroke: var(--c4); }
        svg .band.c1, svg .dot.c1 { fill: var(--c1); } svg .band.c2, svg .dot.c2 { fill: var(--c2); } svg .dot.c3 { fill: var(--c3); } svg .dot.c4 { fill: var(--c4); }
        svg .grid { stroke: var(--rule); stroke-width: 1; } svg .axis { stroke: var(--faint); stroke-width: 1; }
        svg text { fill: var(--faint); font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        th, td { text-align: left; padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; } th { font-size: .85rem; color: var(--faint); font-weight: 600; }
        td.n, th.n { text-align: right; white-space: nowrap; } tr.keep td { font-weight: 600; } td:first-child { min-width: 6.5rem; }
        .sets { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 29rem), 1fr)); gap: 1rem 1.5rem; margin-top: .8rem; }
        .set { display: grid; gap: .4rem; } .set.three { grid-template-columns: repeat(3, 1fr); } .set.six { grid-template-columns: repeat(6, 1fr); }
        .set figcaption { font-size: .75rem; line-height: 1.25; overflow-wrap: anywhere; }
        .set img { width: 100%; height: auto; display: block; border-radius: .25rem; } img.patches { image-rendering: pixelated; } .set .query img { outline: 2px solid var(--ink); outline-offset: 1px; }
        details { margin: .6rem 0; } summary { cursor: pointer; } pre { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: .5rem; padding: .8rem; }
        footer { margin-top: 3rem; color: var(--faint); font-size: .85rem; }
        """;
}
