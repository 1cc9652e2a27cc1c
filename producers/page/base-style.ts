/** The style that all pages share: colours of light and dark, text, tables, focus. */
export const BASE_STYLE = `
:root{color-scheme:light dark;--text:#1b1f24;--soft:#57606a;--back:#fff;--panel:#f5f7f9;--line:#d5dbe1;--link:#0757c2;--get:#0a5f8a;--post:#1a6b34;--delete:#a3261c}
@media (prefers-color-scheme:dark){:root{--text:#e6e9ed;--soft:#a3acb8;--back:#14171b;--panel:#1e2328;--line:#3a424b;--link:#7db7ff;--get:#6cc3f0;--post:#72d391;--delete:#ff9b8f}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:16px/1.5 system-ui,sans-serif}
a{color:var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-999px}
.skip:focus{left:1rem;top:1rem;background:var(--back);padding:.5rem;z-index:2}
header{max-width:84rem;margin:0 auto;padding:1.5rem 1rem .5rem}
h1{margin:0;font-size:1.7rem}
h1 small{color:var(--soft);font-size:1rem;font-weight:400}
h2{margin:2rem 0 .25rem;font-size:1.3rem}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.875em}
.about{color:var(--soft)}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;border-bottom:1px solid var(--line)}
th em{font-weight:400;color:var(--soft)}
button{font:inherit;font-size:.85rem;min-width:5rem;min-height:2.25rem;color:var(--text);background:var(--panel);border:1px solid var(--line);border-radius:6px;cursor:pointer}
`;
