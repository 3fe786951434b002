/** How the page looks: on a phone, on a screen, in the dark, on paper. Charts take their colours from here. */
export const STYLE = `
:root{--ink:#1b1f24;--soft:#57606a;--paper:#fff;--card:#f6f8fa;--line:#d0d7de;--link:#0b62c4;--first:#0b62c4;--second:#b3470a;--third:#1a7f37;--fourth:#8250df;--fifth:#9a3378;--sixth:#0f6f75;--padding:#6e7781}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9da7b1;--paper:#0d1117;--card:#161b22;--line:#30363d;--link:#58a6ff;--first:#58a6ff;--second:#f0883e;--third:#56d364;--fourth:#bc8cff;--fifth:#f778ba;--sixth:#39c5cf;--padding:#8b949e}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1240px;padding:16px;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:1.6rem;margin:.2em 0}h2{font-size:1.25rem;margin:1.6em 0 .5em;border-bottom:1px solid var(--line)}h3{font-size:1.05rem;margin:0 0 .3em}
a{color:var(--link)}:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.path,.facts{color:var(--soft);overflow-wrap:anywhere;margin:0}.facts{font-size:.9rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(132px,1fr));gap:10px;margin:0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:8px 12px}
.tile dt{color:var(--soft);font-size:.85rem}.tile dd{margin:0;font-size:1.15rem;font-weight:600}.tile small{display:block;font-weight:400;font-size:.8rem;color:var(--soft)}
section>h3{margin-top:1em}section>ul{margin:.2em 0;padding-left:1.2em;overflow-wrap:anywhere}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(360px,100%),1fr));gap:16px}
figure{margin:0;padding:14px;border:1px solid var(--line);border-radius:8px;background:var(--paper);min-width:0}
.widest{grid-column:1/-1}
@media (min-width:780px){.wide{grid-column:span 2}}
.wide .parts,.widest .parts{display:flex;flex-wrap:wrap;gap:8px 20px;align-items:flex-start}
.wide .picture,.widest .picture{flex:0 1 350px;min-width:0}.numbers{flex:1 1 320px;min-width:0;max-width:100%}
figcaption p{margin:0 0 .5em;font-size:.85rem;color:var(--soft);max-width:100ch}figcaption .drift{color:var(--ink)}
.picture>svg{display:block;width:100%;max-width:420px;height:auto;margin:0 auto;font:11px system-ui,sans-serif;overflow:visible}
svg text{fill:currentColor}
.keys{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:0 12px;list-style:none;margin:.4em 0 0;padding:0;font-size:.8rem}.keys svg{width:12px;height:12px;margin-right:6px;vertical-align:-1px}
.terms{margin:.8em 0 0;font-size:.85rem}.terms dt{font-weight:600}.terms dd{margin:0 0 .4em;color:var(--soft);max-width:100ch}.terms em{color:var(--ink)}
details{margin-top:.5em}summary{cursor:pointer;font-size:.9rem;width:max-content}
.more{font-size:.85rem;color:var(--soft);margin:.3em 0}
.scroll{overflow:auto;max-height:32rem}
table{border-collapse:collapse;font-size:.85rem;width:100%}th,td{padding:3px 0 3px 12px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap;font-variant-numeric:tabular-nums}
th:first-child{padding-left:0}thead th{position:sticky;top:0;background:var(--paper)}
th[scope=row],thead th:first-child{text-align:left;font-weight:500}th[scope=row]{white-space:normal;min-width:6.4em}
#rejects td:last-child{text-align:left;white-space:normal;min-width:11em;overflow-wrap:anywhere}#rejects thead th:last-child{text-align:left}
.legend{font-size:.9rem}.key{display:inline-block;width:.8em;height:.8em;margin:0 .2em 0 .8em}.key.first{background:var(--first);border-radius:50%;margin-left:0}.key.second{background:var(--second)}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
code{font-size:.9em;white-space:nowrap}
@page{margin:12mm}
@media print{:root{--ink:#000;--soft:#333;--card:#fff}body{max-width:none;padding:0;font-size:10pt}.facts a{display:none}
.charts{grid-template-columns:1fr 1fr;gap:10px}figure,tr,.tile{break-inside:avoid}.widest,.wide{break-inside:auto}.widest .parts{display:block}h2,h3,thead{break-after:avoid}
details::details-content{content-visibility:visible;height:auto}summary{list-style:none}summary::marker{content:""}
.scroll{max-height:none;overflow:visible}th,td{white-space:normal;padding-left:5px;font-size:7.5pt}#runs~details td{overflow-wrap:anywhere}th[scope=row]{min-width:5.8em}.many{grid-column:1/-1}thead th{position:static}}
`;
