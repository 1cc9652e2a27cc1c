/**
 * The script of the pages: it puts the parts that the server sends into their places. Without it, or without
 * its stream, a page is as true as it was when it was loaded. A page that nobody looks at has no stream: a
 * browser allows few per server.
 */
export const LIVE_SCRIPT = `"use strict";
const live = document.querySelector("[data-live]");
const said = document.getElementById("live-state");
let source, over = false;
function say(text) { if (said.textContent !== text) said.textContent = text; }
function stop() { if (source) source.close(); source = undefined; }
function start() {
  if (source || over || document.hidden) return;
  source = new EventSource(live.dataset.live);
  source.addEventListener("open", () => say("Live"));
  source.addEventListener("parts", (event) => {
    for (const [id, html] of Object.entries(JSON.parse(event.data))) {
      const place = document.getElementById(id);
      if (place) place.innerHTML = html;
    }
  });
  source.addEventListener("end", () => { over = true; stop(); say(""); });
  source.addEventListener("error", () => {
    say("Connection lost; trying again");
    if (source && source.readyState === EventSource.CLOSED) { stop(); setTimeout(start, 5000); }
  });
}
if (live && said && "EventSource" in window) {
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
  addEventListener("pagehide", stop);
  addEventListener("pageshow", start);
  start();
}
`;
