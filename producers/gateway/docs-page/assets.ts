import { BASE_STYLE } from "../../page/base-style.js";

/** The style and the script of the page. The page's policy allows these two texts and nothing else. */
export const STYLE = `${BASE_STYLE}
.frame{max-width:84rem;margin:0 auto;padding:0 1rem 4rem;display:grid;grid-template-columns:minmax(0,1fr);gap:2rem}
@media (min-width:64rem){.frame{grid-template-columns:17rem minmax(0,1fr)}nav{position:sticky;top:0;align-self:start;max-height:100vh;overflow:auto;padding:1rem 0}}
h4{margin:1.25rem 0 .25rem;font-size:1rem}
nav ul{list-style:none;margin:0 0 .75rem;padding:0}
nav li a{display:block;padding:.2rem .25rem;overflow-wrap:anywhere;font-size:.85rem;text-decoration:none}
nav li a:hover{text-decoration:underline}
nav summary{font-weight:600;cursor:pointer;padding:.3rem 0}
details.operation,details.schema{border:1px solid var(--line);border-radius:6px;margin:.5rem 0;background:var(--back)}
details.operation>summary,details.schema>summary{cursor:pointer;padding:.6rem .75rem;min-height:2.75rem;overflow-wrap:anywhere}
main details[open]>summary{border-bottom:1px solid var(--line);background:var(--panel)}
.inside{padding:.25rem 1rem 1rem}
.method{display:inline-block;min-width:4.2em;font-weight:700;font-size:.8rem;color:var(--get)}
.method.post{color:var(--post)}.method.delete{color:var(--delete)}
.path{font-weight:600}
figure{margin:.75rem 0}
figcaption{display:flex;justify-content:space-between;align-items:center;gap:1rem;font-size:.9rem;min-height:2.4rem}
pre{margin:0;padding:.75rem;background:var(--panel);border:1px solid var(--line);border-radius:6px;overflow:auto;max-height:26rem}
`;

/** The address of the examples becomes the reader's own; a button copies each request. */
export const SCRIPT = `
const server=document.documentElement.dataset.server;
for(const code of document.querySelectorAll("figure.request code"))
  code.textContent=code.textContent.replaceAll(server,location.origin);
const told=document.getElementById("told");
async function copy(code){
  if(navigator.clipboard)return await navigator.clipboard.writeText(code.textContent);
  getSelection().selectAllChildren(code);
  if(!document.execCommand("copy"))throw new Error("not copied");
}
for(const button of document.querySelectorAll("figure button")){
  button.hidden=false;
  button.addEventListener("click",async()=>{
    const done=await copy(button.closest("figure").querySelector("code")).then(()=>"Copied",()=>"Press Ctrl+C");
    button.textContent=told.textContent=done;
    setTimeout(()=>{button.textContent="Copy";told.textContent=""},2000);
  });
}
function open(){
  const target=document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if(target instanceof HTMLDetailsElement){target.open=true;target.scrollIntoView()}
}
addEventListener("hashchange",open);
open();
if(matchMedia("(max-width:64rem)").matches)
  for(const list of document.querySelectorAll("nav details"))list.open=false;
`;
