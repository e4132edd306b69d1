// Shows the step that is asked for: what is on the page depends on the number of the step alone.
(() => {
  const stepper = document.currentScript.closest(".stepper");
  const find = (selector) => stepper.querySelector(selector);
  const { steps, computed, gradients } = JSON.parse(find("script[type='application/json']").textContent);
  const graph = find(".graph"), slider = find("input"), play = find("[data-go=play]");
  const last = steps.length - 1;

  const cards = [...graph.querySelectorAll(".node")].map((card) => {
    const row = card.querySelector(".colour"), text = card.querySelector(".gradient");
    return { card, row, text, whole: [text.textContent, row.getAttribute("fill"), text.getAttribute("fill")] };
  });
  const edges = [...graph.querySelectorAll(".edge")].map((edge) => ({ edge, number: +edge.dataset.edge }));
  const taken = new Map(steps.map((step, number) => step.phase === "backward" ? [step.edges[0], number] : []));

  function show(number) {
    const step = steps[number];
    stepper.dataset.step = number;
    find(".phase").textContent = stepper.dataset.phase = step.phase;
    find(".count").textContent = `${number} / ${last}`;
    slider.value = number;
    slider.setAttribute("aria-valuetext", `${step.phase}, step ${number} of ${last}`);
    for (const line of ["equation", "caption", "ledger"]) find("." + line).replaceChildren(...step[line].map(word));
    for (const { card, row, text, whole } of cards) {
      const id = card.dataset.id;
      const arrived = gradients[id]?.findLast(([since]) => since <= number);
      const [content, fill, ink] = !arrived ? ["", "#ffffff", "#000000"] : arrived.length > 1 ? arrived.slice(1) : whole;
      text.textContent = content;
      row.setAttribute("fill", fill);
      for (const part of [text, text.previousElementSibling]) part.setAttribute("fill", ink); // and its label
      card.classList.toggle("uncomputed", computed[id] > number);
      mark(card, step.marks[id]);
    }
    for (const { edge, number: index } of edges) {
      edge.classList.toggle("untaken", !(taken.get(index) <= number));
      mark(edge, step.edges.includes(index) && (step.phase === "backward" ? "contribution" : "result"));
    }
    reveal();
  }

  function mark(element, role) {
    if (role) element.dataset.mark = role;
    else delete element.dataset.mark;
  }

  function word([text, role = "", number = "", rows = []]) {
    if (!role && !number && !rows.length) return text;
    const element = document.createElement("data");
    if (role) element.className = role;
    element.value = element.title = number;
    element.textContent = text;
    if (rows.length) element.append(heatMap(rows));
    return element;
  }

  function heatMap(rows) {
    const map = document.createElement("span");
    map.className = "heat";
    map.ariaHidden = true;
    const colours = rows.flatMap((row) => row.match(/.{6}/g));
    map.style.setProperty("--columns", colours.length / rows.length);
    for (const colour of colours) map.appendChild(document.createElement("i")).style.background = "#" + colour;
    return map;
  }

  // A picture that is larger than its frame is scrolled to what the step is about; the page stays where it is.
  function reveal() {
    const box = (element) => element.getBoundingClientRect();
    const frame = box(graph), marked = [...graph.querySelectorAll("[data-mark]")].map(box);
    const main = box(graph.querySelector(".node[data-mark=contribution], .node[data-mark=result]") ?? graph);
    for (const [low, high, scroll] of [["left", "right", "scrollLeft"], ["top", "bottom", "scrollTop"]]) {
      let start = Math.min(...marked.map((part) => part[low])), end = Math.max(...marked.map((part) => part[high]));
      if (end - start > frame[high] - frame[low]) [start, end] = [main[low], main[high]];
      if (start < frame[low] || end > frame[high]) graph[scroll] += (start + end - frame[low] - frame[high]) / 2;
    }
  }

  const current = () => +stepper.dataset.step;
  const go = {
    first: () => show(0),
    previous: () => show(Math.max(0, current() - 1)),
    next: () => show(Math.min(last, current() + 1)),
    last: () => show(last),
  };

  let timer;
  function pause() {
    clearInterval(timer);
    timer = undefined;
    play.textContent = "play";
  }
  function start() {
    if (current() === last) go.first();
    play.textContent = "pause";
    timer = setInterval(() => { go.next(); if (current() === last) pause(); }, 1400);
  }
  function act(name) {
    if (name === "play") return timer ? pause() : start();
    pause();
    go[name]();
  }

  const keys = { ArrowLeft: "previous", ArrowRight: "next", Home: "first", End: "last", " ": "play" };
  document.addEventListener("keydown", (event) => {
    const inside = stepper.contains(event.target);
    const alone = event.target === document.body && document.querySelectorAll(".stepper").length === 1;
    const name = keys[event.key];
    if (!name || !(inside || alone) || event.ctrlKey || event.altKey || event.metaKey) return;
    if (name === "play" && event.target.tagName === "BUTTON") return; // it presses the button
    event.preventDefault();
    act(name);
  });
  stepper.addEventListener("click", (event) => {
    const button = event.target.closest("[data-go]");
    if (button) act(button.dataset.go);
  });
  slider.addEventListener("input", () => { pause(); show(+slider.value); });

  slider.max = last;
  find(".controls").hidden = false;
  const svg = graph.querySelector("svg"), width = parseFloat(svg.getAttribute("width"));
  svg.style.width = `clamp(${0.75 * width}px, 100%, ${width}px)`;
  show(0);
})();
