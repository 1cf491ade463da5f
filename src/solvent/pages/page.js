"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const typing = () => /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "");

  // The picture: values of the nearest window, by pointer or by arrow keys.
  for (const card of all(".life")) {
    const data = JSON.parse(card.querySelector("script").textContent);
    const readout = card.querySelector(".readout");
    const idle = [...readout.childNodes];
    let at = -1;
    const show = (index) => {
      at = index;
      for (const svg of all("svg", card)) {
        const [x, y] = data.points[svg.classList.contains("wide") ? "wide" : "narrow"][index];
        const line = svg.querySelector("line.cursor"), dot = svg.querySelector("circle.cursor");
        line.setAttribute("x1", x);
        line.setAttribute("x2", x);
        line.setAttribute("visibility", "visible");
        dot.setAttribute("cx", x);
        dot.setAttribute("cy", y);
        dot.setAttribute("visibility", y < 0 ? "hidden" : "visible");
      }
      readout.replaceChildren();
      const [when, ...rest] = data.texts[index];
      readout.append(Object.assign(document.createElement("b"), { textContent: when }), ` · ${rest.join(" · ")}`);
    };
    const hide = () => {
      at = -1;
      for (const mark of all(".cursor", card)) mark.setAttribute("visibility", "hidden");
      readout.replaceChildren(...idle);
    };
    for (const svg of all("svg", card)) {
      const points = data.points[svg.classList.contains("wide") ? "wide" : "narrow"];
      svg.addEventListener("pointermove", (event) => {
        const box = svg.getBoundingClientRect();
        const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
        let best = 0;
        points.forEach((point, i) => {
          if (Math.abs(point[0] - x) < Math.abs(points[best][0] - x)) best = i;
        });
        show(best);
      });
      svg.addEventListener("pointerleave", hide);
    }
    card.querySelector(".plot").addEventListener("keydown", (event) => {
      const last = data.texts.length - 1;
      const to = { ArrowRight: at + 1, ArrowLeft: at < 0 ? last : at - 1, Home: 0, End: last }[event.key];
      if (to === undefined) return event.key === "Escape" ? hide() : undefined;
      event.preventDefault();
      show(Math.max(0, Math.min(last, to)));
    });
  }

  // Finding: everything that has an id and a name.
  const input = document.querySelector(".find input"), list = document.querySelector(".found");
  const places = all("section[id], .card[id], .row[id]").map((place) => {
    const name = place.dataset.name ?? [...place.querySelectorAll(".when, .name")].map((n) => n.textContent).join(" · ");
    return { place, name, text: place.matches(".row") ? place.textContent.toLowerCase() : name.toLowerCase() };
  });
  const go = (place) => {
    list.hidden = true;
    input.value = "";
    place.scrollIntoView({ block: place.matches(".row") ? "center" : "start" });
    place.setAttribute("tabindex", "-1");
    place.focus({ preventScroll: true });
  };
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const hits = words.length ? places.filter((p) => words.every((w) => p.text.includes(w))).slice(0, 30) : [];
    list.replaceChildren(...hits.map(({ place, name }) => {
      const link = Object.assign(document.createElement("a"), { href: `#${place.id}`, textContent: name });
      link.addEventListener("click", (event) => { event.preventDefault(); go(place); });
      const item = document.createElement("li");
      item.append(link);
      return item;
    }));
    if (words.length && !hits.length) {
      list.append(Object.assign(document.createElement("li"), { className: "none", textContent: "Nothing here has these words" }));
    }
    list.hidden = !words.length;
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") list.querySelector("a")?.click();
    if (event.key === "ArrowDown") { event.preventDefault(); list.querySelector("a")?.focus(); }
    if (event.key === "Escape") { list.hidden = true; input.value = ""; input.blur(); }
  });
  list.addEventListener("keydown", (event) => {
    const links = all("a", list), here = links.indexOf(document.activeElement);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1 }[event.key];
    if (event.key === "Escape") { list.hidden = true; input.focus(); }
    if (to === undefined) return;
    event.preventDefault();
    (links[to] ?? input).focus();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!event.target.closest(".find")) list.hidden = true;
  });

  // Keys: / finds, j and k move, ? lists them.
  const keys = document.querySelector("dialog");
  const stops = all("section[id], .card[id], .row[id]");
  document.addEventListener("keydown", (event) => {
    if (typing() || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") { event.preventDefault(); input.focus(); }
    if (event.key === "?") keys.open ? keys.close() : keys.showModal();
    if (event.key === "j" || event.key === "k") {
      const here = stops.indexOf(document.activeElement);
      const to = stops[Math.max(0, Math.min(stops.length - 1, here + (event.key === "j" ? 1 : -1)))];
      if (to) go(to);
    }
  });
  addEventListener("beforeprint", () => all("details").forEach((fold) => { fold.open = true; }));
})();
