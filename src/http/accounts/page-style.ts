/** The look of the demo page, for a page that may load nothing. */
export const style = `
:root{color-scheme:light dark;--paper:#fbfaf7;--raised:#fff;--ink:#1e1c17;--muted:#6a665b;--line:#d9d4c6;--accent:#8d6000;--accent-fill:#c48a12;--on-accent:#fff;--wrong:#a8321f;
--serif:ui-serif,"Iowan Old Style","Palatino Linotype",Palatino,"Book Antiqua",Georgia,serif;--sans:system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
@media (prefers-color-scheme:dark){:root{--paper:#141310;--raised:#1b1a16;--ink:#ede9de;--muted:#a09a8b;--line:#3a362c;--accent:#e3b23f;--accent-fill:#d9a52d;--on-accent:#1b1608;--wrong:#f08f7a}}
*,::before,::after{box-sizing:border-box}
html{text-size-adjust:100%}
body{margin:0 auto;padding:clamp(1.25rem,4vw,2.5rem) clamp(1rem,5vw,2rem);max-width:30rem;min-height:100dvh;background:var(--paper);color:var(--ink);font:1rem/1.5 var(--sans)}
header{display:flex;align-items:center;gap:.625rem}
.mark{width:1.75rem;height:1.75rem;fill:none;stroke:var(--accent-fill);stroke-width:2.6;stroke-linecap:round}
.mark circle{fill:var(--accent-fill);stroke:none}
.wordmark{font:500 1.1875rem/1 var(--serif);letter-spacing:.01em}
h1{margin:clamp(2.5rem,9vw,5rem) 0 0;font:500 clamp(2rem,7vw,2.5rem)/1.1 var(--serif);letter-spacing:-.015em;text-wrap:balance}
p{margin:0}
.lead{margin-top:.875rem;color:var(--muted);text-wrap:pretty}
form{margin-top:1.75rem;display:flex;flex-direction:column}
#fields{display:contents}
ul{margin:1.5rem 0 0;padding:0;list-style:none;border-block:1px solid var(--line)}
li{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:.75rem 0}
li + li{border-top:1px solid var(--line)}
li > :first-child{flex:1;overflow-wrap:anywhere}
.role{color:var(--muted)}
li a{color:var(--accent)}
.lead{overflow-wrap:anywhere}
label{margin:0 0 .375rem;font-size:.875rem;font-weight:500}
input{min-height:2.75rem;margin-bottom:1.125rem;padding:.5rem .875rem;border:1px solid var(--line);border-radius:10px;background:var(--raised);color:inherit;font:inherit}
input:has(+ .hint){margin-bottom:.375rem}
.hint{margin-bottom:1.125rem;color:var(--muted);font-size:.8125rem}
input[aria-invalid=true]{border-color:var(--wrong)}
button{align-self:flex-start;min-height:2.5rem;margin-top:.25rem;padding:.5rem 1.5rem;border:1px solid transparent;border-radius:999px;font:500 .9375rem/1.2 var(--sans);cursor:pointer}
.primary{background:var(--accent);color:var(--on-accent)}
.primary:hover{background:color-mix(in srgb,var(--accent) 88%,var(--ink))}
button[disabled]{opacity:.6;cursor:default}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
form[hidden] + .links a:first-child{padding:.5rem 1.5rem;border-radius:999px;background:var(--accent);color:var(--on-accent);font:500 .9375rem/1.5 var(--sans);text-decoration:none}
form[hidden] + .links{align-items:center}
#notice:not(:empty){margin-bottom:1rem;color:var(--wrong);font-size:.9375rem}
.links{display:flex;flex-wrap:wrap;gap:.375rem 1.25rem;margin-top:1.5rem;font-size:.875rem}
.links a{color:var(--muted);text-underline-offset:.2em}
.links a:hover{color:var(--ink)}
[hidden]{display:none!important}
`
