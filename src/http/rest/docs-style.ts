/** The look of `/docs`: that of the page in client/page. */
export const style = `
:root{color-scheme:light dark;--paper:#fbfaf7;--raised:#fff;--ink:#1e1c17;--muted:#6a665b;--line:#e4e0d5;--accent:#8d6000;--accent-fill:#c48a12;--get:#2f6b4f;--post:#8d6000;--patch:#4a5a96;--delete:#a8321f;
--serif:ui-serif,"Iowan Old Style","Palatino Linotype",Palatino,"Book Antiqua",Georgia,serif;--sans:system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif;--mono:ui-monospace,"SF Mono","Cascadia Mono",Menlo,Consolas,"Liberation Mono",monospace}
@media (prefers-color-scheme:dark){:root{--paper:#141310;--raised:#1b1a16;--ink:#ede9de;--muted:#a09a8b;--line:#2e2b24;--accent:#e3b23f;--accent-fill:#d9a52d;--get:#7cc4a0;--post:#e3b23f;--patch:#a3b2ee;--delete:#f08f7a}}
*,::before,::after{box-sizing:border-box}
html{text-size-adjust:100%;scroll-padding-top:1rem}
body{margin:0 auto;padding:clamp(1.25rem,4vw,2.5rem) clamp(1rem,4vw,2rem) 4rem;max-width:72rem;background:var(--paper);color:var(--ink);font:1rem/1.55 var(--sans);font-synthesis:none}
a{color:var(--accent);text-underline-offset:.15em}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
.name{display:flex;align-items:center;gap:.625rem}
.mark{width:1.75rem;height:1.75rem;fill:none;stroke:var(--accent-fill);stroke-width:2.6;stroke-linecap:round}
.mark circle{fill:var(--accent-fill);stroke:none}
.wordmark{font:500 1.1875rem/1 var(--serif)}
h1{margin:clamp(2rem,6vw,3.5rem) 0 0;font:500 clamp(2rem,6vw,2.75rem)/1.1 var(--serif);letter-spacing:-.015em}
h2{margin:3rem 0 .75rem;font:500 1.5rem/1.2 var(--serif)}
h3{margin:2rem 0 .5rem;font:600 1rem/1.3 var(--sans)}
h4{margin:1.5rem 0 .375rem;color:var(--muted);font:600 .8125rem/1.3 var(--sans)}
p{margin:.625rem 0;max-width:42rem;text-wrap:pretty}
.lead{color:var(--muted);font-size:1.0625rem}
code,pre,var{font:.8125rem/1.5 var(--mono);font-style:normal}
p code,td code,li code{font-size:.875em}
pre{margin:0;padding:.75rem .875rem;border:1px solid var(--line);border-radius:8px;background:var(--paper);overflow-x:auto}
.columns{display:grid;grid-template-columns:minmax(0,1fr);gap:0 3.5rem}
nav{margin-top:2rem;font-size:.875rem}
nav ul{margin:.25rem 0 1rem;padding:0;list-style:none}
nav li a{display:block;padding:.1875rem 0;color:var(--muted);text-decoration:none}
nav li a:hover{color:var(--ink);text-decoration:underline}
nav .tag{color:var(--ink);font-weight:600;text-decoration:none}
@media (min-width:60rem){.columns{grid-template-columns:13rem minmax(0,1fr)}nav{position:sticky;top:0;align-self:start;margin-top:0;padding:3.2rem 0 2rem;max-height:100vh;overflow-y:auto}}
@media (max-width:59.99rem){nav ul{display:none}nav .tags{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem}}
details{margin:.5rem 0;border:1px solid var(--line);border-radius:12px;background:var(--raised)}
summary{display:flex;flex-wrap:wrap;align-items:baseline;gap:.25rem .75rem;padding:.6875rem 1rem;cursor:pointer;list-style:none;border-radius:12px}
summary::-webkit-details-marker{display:none}
summary:hover .path{text-decoration:underline;text-underline-offset:.2em;text-decoration-color:var(--line)}
.method{min-width:3.75rem;font:600 .75rem/1.5 var(--mono);color:var(--muted)}
.method.get{color:var(--get)}.method.post,.method.put{color:var(--post)}.method.patch{color:var(--patch)}.method.delete{color:var(--delete)}
.path{font-size:.875rem;overflow-wrap:anywhere}
.path var{color:var(--muted)}
.what{margin-left:auto;color:var(--muted);font-size:.875rem}
.inside{scroll-margin-top:4rem;padding:0 1rem 1.125rem;border-top:1px solid var(--line)}
.table{overflow-x:auto}
table{width:100%;border-collapse:collapse;font-size:.875rem}
tr+tr{border-top:1px solid var(--line)}
th,td{padding:.4375rem 1rem .4375rem 0;text-align:left;vertical-align:top;font-weight:400}
td:last-child{padding-right:0}
th{width:14rem;min-width:9rem}
td:nth-child(2):not(:last-child){width:13rem;min-width:8rem;color:var(--muted)}
.answers>tbody>tr>th{width:4rem;min-width:3.5rem;font:.8125rem/1.7 var(--mono)}
.required{margin-left:.375rem;color:var(--delete);font-size:.75rem}
.bounds,.or{color:var(--muted)}
@media (max-width:36rem){th,td,td:nth-child(2):not(:last-child){display:block;width:auto;padding:.125rem 0}tr{display:block;padding:.5rem 0}.what{flex-basis:100%;margin-left:0}}
footer{margin-top:4rem;color:var(--muted);font-size:.8125rem}
`
