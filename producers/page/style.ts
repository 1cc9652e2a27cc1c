/** The style of the pages of runs. */
import { BASE_STYLE } from "./base-style.js";

export const PAGE_STYLE = `${BASE_STYLE}
:root{--good:#1a7f37;--bad:#b3261e;--busy:#0757c2;--rest:#6b7480;--track:#dfe4ea;--bar:#3a7bd5;--grid:#e3e8ed}
@media (prefers-color-scheme:dark){:root{--good:#5fd07f;--bad:#ff9b8f;--busy:#7db7ff;--rest:#a3acb8;--track:#343c45;--bar:#5b9bea;--grid:#2b3239}}
body{font-variant-numeric:tabular-nums}
header{max-width:76rem;display:flex;flex-wrap:wrap;align-items:center;gap:.25rem 1.5rem;padding:1rem}
header .brand{font-weight:700;font-size:1.15rem;color:var(--text);text-decoration:none}
header nav{display:flex;flex-wrap:wrap;gap:.25rem;flex:1}
header nav a{padding:.45rem .7rem;border-radius:6px;text-decoration:none}
header nav a:hover{background:var(--panel)}
header nav a[aria-current]{background:var(--panel);color:var(--text);font-weight:600}
header form{margin:0}
main{max-width:76rem;margin:0 auto;padding:0 1rem 4rem}
main:focus{outline:none}
h1{font-size:1.5rem;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:0 0 .75rem}
.top{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem 1rem;margin:.75rem 0 1rem}
.top h1{flex:1 1 auto}
.quiet{color:var(--soft);font-size:.9rem}
.empty{color:var(--soft);padding:1.5rem 0}
.panel{border:1px solid var(--line);border-radius:10px;padding:1rem 1.1rem;margin:0 0 1rem;background:var(--back);min-width:0}
.pair{display:grid;gap:0 1rem;grid-template-columns:minmax(0,1fr)}
@media (min-width:56rem){.pair{grid-template-columns:minmax(0,3fr) minmax(0,2fr)}}
.state{display:inline-flex;align-items:center;gap:.45em;font-size:.85rem;font-weight:600;white-space:nowrap;color:var(--rest)}
.state::before{content:"";width:.65em;height:.65em;border-radius:50%;background:currentColor}
.state.complete{color:var(--good)}.state.failed{color:var(--bad)}.state.submitted,.state.submitting{color:var(--busy)}
.state.cancelled::before{border-radius:0}.state.failed::before{border-radius:1px;transform:rotate(45deg)}
.bar{display:block;width:100%;height:.6rem;border-radius:.3rem;background:var(--track);overflow:hidden}
.bar.large{height:1rem;border-radius:.5rem}
.bar .done{fill:var(--good)}.bar .failed{fill:var(--bad)}
.under span:last-child{white-space:nowrap}
.under{display:flex;justify-content:space-between;gap:1rem;font-size:.85rem;color:var(--soft);margin-top:.3rem}
.bad{color:var(--bad)}
.runs th{font-size:.8rem;font-weight:600;color:var(--soft);white-space:nowrap}
.runs td,.runs th{padding:.65rem 1rem .65rem 0;vertical-align:middle}
.runs td.name{max-width:22rem}
.runs td.progress{min-width:13rem;width:30%}
.runs .name a{font-weight:600;overflow-wrap:anywhere}
.runs .name span{display:block;color:var(--soft);font-size:.82rem;overflow-wrap:anywhere}
.number{text-align:right;white-space:nowrap}
@media (max-width:46rem){
.runs,.runs tbody{display:block}.runs thead{position:absolute;left:-999px}
.runs tr{display:grid;grid-template-columns:1fr auto;gap:.2rem 1rem;padding:.9rem 0;border-bottom:1px solid var(--line)}
.runs td{display:block;border:0;padding:0;text-align:left}
.runs td:nth-child(2),.runs td:nth-child(5){justify-self:end}
.runs td.name{max-width:none}.runs td.progress{grid-column:1/-1;width:auto;min-width:0}
.runs td[data-label]:not(:empty)::before,.workers td[data-label]::before{content:attr(data-label) " ";color:var(--soft);font-size:.82rem}
header nav{order:3;flex-basis:100%}header .brand{flex:1}
svg.chart text{font-size:20px}
.ranking,.ranking tbody,.workers,.workers tbody{display:block}.ranking thead,.workers thead{position:absolute;left:-999px}
.ranking tr{display:grid;grid-template-columns:2rem 4rem 1fr 6rem;gap:.1rem .5rem;padding:.6rem 0;border-bottom:1px solid var(--grid)}
.ranking td,.workers td,.workers th{display:block;border:0;padding:0}
.ranking td.number{text-align:left}.ranking td.before{display:none}.ranking td.text{grid-column:1/-1;grid-row:2}.ranking td.score{grid-column:4}
.workers tr{display:block;padding:.6rem 0;border-bottom:1px solid var(--grid)}
.workers td,.workers td.number{text-align:left;white-space:normal}
}
.pages{display:flex;gap:1rem;padding:1rem 0}
.button,button{display:inline-flex;align-items:center;justify-content:center;min-height:2.6rem;padding:0 1rem;font-size:.95rem;text-decoration:none;color:var(--text);background:var(--panel);border:1px solid var(--line);border-radius:8px}
.button:hover,button:hover{border-color:var(--soft)}
button.main{background:var(--link);border-color:var(--link);color:var(--back);font-weight:600}
button.harm{background:var(--bad);border-color:var(--bad);color:var(--back);font-weight:600}
.actions{display:flex;flex-wrap:wrap;gap:.5rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(6.5rem,1fr));gap:.9rem 1rem;margin:1.1rem 0 0}
.tiles div{min-width:0}
@media (min-width:56rem){.tiles{display:flex}.tiles div{flex:1 1 6rem;min-width:max-content}}
.tiles dt{color:var(--soft);font-size:.82rem}
.tiles dd{margin:0;font-size:1.35rem;font-weight:600;line-height:1.3;overflow-wrap:anywhere}
.facts{display:grid;grid-template-columns:auto minmax(0,1fr);gap:.35rem 1.25rem;margin:0;font-size:.92rem}
.facts dt{color:var(--soft)}.facts dd{margin:0;overflow-wrap:anywhere}
.chart{display:block;width:100%;height:auto;overflow:visible}
.chart text{fill:var(--soft);font:12px system-ui,sans-serif}
.chart .grid{stroke:var(--grid);stroke-width:1}
.chart .area{fill:var(--bar);opacity:.18}.chart .line{fill:none;stroke:var(--bar);stroke-width:2;stroke-linejoin:round}
.chart .column{fill:var(--bar)}
.told{border:1px solid var(--good);border-radius:8px;padding:.7rem 1rem;margin:0 0 1rem}
.told.problem{border-color:var(--bad)}
.failure{margin:0 0 1rem}.failure h3{font-size:1rem;margin:0 0 .35rem;display:flex;gap:.75rem;align-items:baseline}
.failure ul{margin:0;padding:0;list-style:none}
.failure li{padding:.5rem 0;border-top:1px solid var(--grid);font-size:.9rem;overflow-wrap:anywhere}
.failure code{display:block;color:var(--soft);white-space:pre-wrap;overflow-wrap:anywhere;margin-top:.2rem}
details{border-top:1px solid var(--grid);padding:.35rem 0}
details:first-of-type{border-top:0}
summary{cursor:pointer;padding:.45rem 0;font-weight:600;overflow-wrap:anywhere}
summary span{font-weight:400;color:var(--soft);font-size:.88rem}
.ranking td,.ranking th{padding:.4rem .8rem .4rem 0}
.ranking .text{overflow-wrap:anywhere;min-width:9rem}
.ranking .up{color:var(--good)}.ranking .down{color:var(--bad)}.ranking .same{color:var(--soft)}
.ranking .score{min-width:5.5rem}
.meter{display:block;width:100%;max-width:8rem;height:.35rem;border-radius:.2rem;background:var(--track);overflow:hidden;margin-top:.25rem}
.meter rect{fill:var(--bar)}
.narrow{max-width:30rem;margin:3rem auto 0}
.narrow label{display:block;font-weight:600;margin:1rem 0 .35rem}
.narrow input{font:inherit;width:100%;min-height:2.75rem;padding:0 .75rem;border:1px solid var(--soft);border-radius:8px;background:var(--back);color:var(--text)}
.narrow .actions{margin-top:1.25rem}
.workers td,.workers th{vertical-align:middle}
`;
